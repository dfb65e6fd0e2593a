drop index concurrently orders_state;
