-- midflight: phase expand
-- midflight: no-transaction
create unique index concurrently orders_once on orders (uid, id);
