-- midflight: phase expand
drop view open_orders;
create view open_orders as select id, uid, inst_id, px, sz, state from orders where state in ('live', 'partial');
grant select on open_orders to gateway;
