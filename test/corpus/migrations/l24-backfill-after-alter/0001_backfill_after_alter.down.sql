alter table orders drop column owner;
