-- midflight: phase expand
-- Each statement is quick by itself and none is missing a guard.
alter table orders add column notional numeric;
select pg_sleep(0.6);
update orders set notional = px * sz where id > 0;
