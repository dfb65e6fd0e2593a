alter table orders alter column px type numeric(20, 8);
