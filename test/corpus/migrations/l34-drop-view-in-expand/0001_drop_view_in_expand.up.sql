-- midflight: phase expand
drop view open_orders;
