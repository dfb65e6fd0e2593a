alter table orders drop constraint orders_inst_fkey, add constraint orders_inst_fkey foreign key (inst_id) references instruments (inst_id) not valid;
