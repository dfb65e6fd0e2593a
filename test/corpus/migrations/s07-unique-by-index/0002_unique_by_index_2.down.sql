-- The index goes with the constraint.
alter table orders drop constraint if exists orders_once;
create unique index concurrently orders_once on orders (uid, id);
