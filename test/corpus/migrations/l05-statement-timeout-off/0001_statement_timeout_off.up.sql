-- midflight: phase expand
set local statement_timeout = 0;
alter table orders add column tag text;
