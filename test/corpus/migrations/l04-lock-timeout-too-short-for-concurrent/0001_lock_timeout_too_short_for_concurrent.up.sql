-- midflight: phase expand
-- midflight: no-transaction
set lock_timeout = '200ms';
create index concurrently orders_state on orders (state);
