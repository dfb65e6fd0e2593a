-- midflight: phase expand
alter table orders add constraint orders_inst_fkey foreign key (inst_id) references instruments (inst_id) not valid;
