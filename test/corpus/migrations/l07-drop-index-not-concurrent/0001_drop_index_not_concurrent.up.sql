-- midflight: phase expand
drop index orders_uid;
