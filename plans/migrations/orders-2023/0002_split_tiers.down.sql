-- Puts back exactly the rows that the way up touched. What users wrote meanwhile stays.

insert into routes (shard, engine) select shard, engine from routes_backup on conflict (shard) do nothing;

update accounts a set tier = b.tier from accounts_tier_backup b where b.uid = a.uid;

drop table tier_routes;

delete from fee_tiers where tier in (select distinct tier || '-split' from accounts_tier_backup);

drop table routes_backup;

drop table accounts_tier_backup;

drop table tier_split_shards;
