-- midflight: phase expand
alter table orders add column tag text;
alter table accounts add column tag text;
