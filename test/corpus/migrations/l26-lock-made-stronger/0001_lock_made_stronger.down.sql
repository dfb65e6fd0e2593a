drop table notes;
update orders set state = 'live' where id = 1;
