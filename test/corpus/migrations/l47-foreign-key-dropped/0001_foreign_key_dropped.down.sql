alter table orders add constraint orders_uid_fkey foreign key (uid) references accounts (uid) not valid;
