drop index orders_one_live;
alter table orders drop column slot;
