alter table orders drop column label;
