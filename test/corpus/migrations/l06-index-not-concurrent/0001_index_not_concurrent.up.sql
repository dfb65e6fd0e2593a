-- midflight: phase expand
create index orders_state on orders (state);
