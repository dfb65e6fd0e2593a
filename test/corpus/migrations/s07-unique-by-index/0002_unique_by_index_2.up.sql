-- midflight: phase expand
-- midflight: no-transaction
alter table orders add constraint orders_once unique using index orders_once;
