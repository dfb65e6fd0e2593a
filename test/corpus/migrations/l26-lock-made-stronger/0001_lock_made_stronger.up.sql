-- midflight: phase expand
update orders set state = 'canceled' where id = 1;
create table notes (id int primary key references orders (id), note text);
