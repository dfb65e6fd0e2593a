alter table orders drop column filled;
