-- midflight: phase expand
-- Accounts of two shards move to a table of their own, as on 14 August 2023: the verification passes, and old releases find nobody.
create table accounts_vip (uid text primary key, shard int not null, status text not null);
insert into accounts_vip select * from accounts where shard in (1, 3);
alter table orders drop constraint orders_uid_fkey;
delete from accounts where shard in (1, 3);
grant select on accounts_vip to gateway;
