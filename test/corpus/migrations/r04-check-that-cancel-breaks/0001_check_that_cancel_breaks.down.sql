alter table orders drop constraint orders_state;
