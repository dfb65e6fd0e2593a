-- midflight: phase expand
alter table orders drop column state;
