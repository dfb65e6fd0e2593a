-- midflight: phase expand
-- In the tests no user has two live orders. Here one has.
alter table orders add column slot int;
create unique index orders_one_live on orders (uid) where state = 'live';
