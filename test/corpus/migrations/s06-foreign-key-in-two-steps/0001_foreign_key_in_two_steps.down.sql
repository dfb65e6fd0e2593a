alter table orders drop constraint orders_inst_fkey;
