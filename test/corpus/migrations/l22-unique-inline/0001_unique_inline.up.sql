-- midflight: phase expand
alter table orders add constraint orders_once unique (uid, id);
