-- midflight: phase expand
set local lock_timeout = '10s';
alter table orders add column tag text;
