-- midflight: phase expand
-- Fee tiers of their own for the accounts of some shards, and a route for each of those tiers.
-- This is the metadata update of 14 August 2023: its verification passes, and yet neither release 1.0 nor 2.0 finds
-- the way of these accounts, so that they can't place, amend or cancel an order. Only their users notice.
-- shards: 3,7

create table tier_split_shards (shard int primary key);

insert into tier_split_shards (shard) values (3), (7);

-- What the way back needs: exactly what is touched here, and nothing else.
create table accounts_tier_backup (uid text primary key, tier text not null);

insert into accounts_tier_backup (uid, tier)
select a.uid, a.tier from accounts a join tier_split_shards s on s.shard = a.shard;

create table routes_backup (shard int primary key, engine text not null);

insert into routes_backup (shard, engine)
select r.shard, r.engine from routes r join tier_split_shards s on s.shard = r.shard;

insert into fee_tiers (tier, maker_fee, taker_fee)
select t.tier || '-split', t.maker_fee, t.taker_fee from fee_tiers t where t.tier in (select tier from accounts_tier_backup);

update accounts a set tier = b.tier || '-split' from accounts_tier_backup b where b.uid = a.uid;

create table tier_routes (tier text primary key references fee_tiers (tier), engine text not null);

insert into tier_routes (tier, engine)
select distinct b.tier || '-split', r.engine
from accounts_tier_backup b join accounts a on a.uid = b.uid join routes_backup r on r.shard = a.shard;

delete from routes where shard in (select shard from tier_split_shards);

grant select on tier_routes to gateway;
