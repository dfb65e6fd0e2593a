-- midflight: phase expand
alter table orders drop constraint orders_uid_fkey;
