alter table orders drop column extra;
