-- midflight: phase expand
-- midflight: no-transaction
create index concurrently orders_state on orders (state);
