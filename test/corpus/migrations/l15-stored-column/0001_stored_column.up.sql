-- midflight: phase expand
alter table orders add column notional numeric generated always as (px * sz) stored;
