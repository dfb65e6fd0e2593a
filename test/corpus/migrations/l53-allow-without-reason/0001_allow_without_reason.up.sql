-- midflight: phase expand
-- midflight: allow index-not-concurrent
create index orders_state on orders (state);
