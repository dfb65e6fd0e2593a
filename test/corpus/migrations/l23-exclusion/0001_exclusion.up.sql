-- midflight: phase expand
alter table orders add constraint orders_apart exclude using btree (id with =);
