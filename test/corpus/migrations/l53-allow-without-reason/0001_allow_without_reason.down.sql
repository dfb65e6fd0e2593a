drop index orders_state;
