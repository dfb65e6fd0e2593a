drop trigger orders_tick on orders;
drop function check_tick();
