-- midflight: phase expand
alter table orders add column label varchar(20);
alter table orders alter column label type varchar(40);
