insert into accounts select * from accounts_vip on conflict (uid) do nothing;
drop table accounts_vip;
alter table orders add constraint orders_uid_fkey foreign key (uid) references accounts (uid);
