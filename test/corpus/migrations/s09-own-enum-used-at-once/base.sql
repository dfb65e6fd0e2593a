create table accounts (uid text primary key, shard int not null, status text not null);
create table orders (
  id       int primary key,
  uid      text not null references accounts (uid),
  inst_id  text not null,
  px       numeric(20, 8) not null,
  sz       numeric(20, 8) not null,
  state    text not null
);
create index orders_uid on orders (uid);
insert into accounts select 'u' || n, n % 4, 'normal' from generate_series(1, 40) n;
insert into orders select n, 'u' || (1 + n % 40), 'BTC-USDT', n, 1, 'live' from generate_series(1, 2000) n;
grant select on accounts to gateway;
grant select, insert, update on orders to gateway;
