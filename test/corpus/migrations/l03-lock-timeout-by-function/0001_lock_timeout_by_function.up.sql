-- midflight: phase expand
select set_config('lock_timeout', '0', true);
alter table orders add column tag text;
