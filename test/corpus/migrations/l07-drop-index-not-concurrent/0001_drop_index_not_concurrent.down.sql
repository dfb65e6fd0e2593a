-- midflight: allow index-not-concurrent because this case is about the way up
create index orders_uid on orders (uid);
