alter table orders drop column venue;
