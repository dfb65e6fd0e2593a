alter table orders drop column tag, drop column state;
