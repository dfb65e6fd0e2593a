-- midflight: phase expand
delete from orders where 1 = 1;
