-- midflight: phase expand
alter table orders add column extra json;
