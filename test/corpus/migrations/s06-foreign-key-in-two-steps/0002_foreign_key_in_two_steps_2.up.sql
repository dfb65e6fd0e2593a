-- midflight: phase expand
alter table orders validate constraint orders_inst_fkey;
