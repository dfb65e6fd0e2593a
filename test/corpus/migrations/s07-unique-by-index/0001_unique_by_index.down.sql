drop index concurrently orders_once;
