drop view open_orders;
create view open_orders as select * from orders where state = 'live';
grant select on open_orders to gateway;
