-- midflight: phase expand
lock table orders in share row exclusive mode;
insert into accounts values ('u99', 1, 'normal');
