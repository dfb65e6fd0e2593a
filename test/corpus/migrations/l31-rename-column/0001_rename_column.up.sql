-- midflight: phase expand
alter table orders rename column px to price;
