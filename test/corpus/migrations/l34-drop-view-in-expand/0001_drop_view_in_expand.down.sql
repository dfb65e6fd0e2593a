create view open_orders as select * from orders where state = 'live';
