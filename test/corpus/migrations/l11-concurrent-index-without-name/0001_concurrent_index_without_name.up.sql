-- midflight: phase expand
-- midflight: no-transaction
create index concurrently on orders (state);
