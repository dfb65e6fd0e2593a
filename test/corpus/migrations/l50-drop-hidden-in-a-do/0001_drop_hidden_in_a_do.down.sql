create table accounts (uid text primary key, shard int not null, status text not null);
