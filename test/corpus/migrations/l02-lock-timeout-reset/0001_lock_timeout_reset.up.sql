-- midflight: phase expand
reset lock_timeout;
alter table orders add column tag text;
