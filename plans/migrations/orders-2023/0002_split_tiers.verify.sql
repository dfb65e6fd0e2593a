-- Each line divides by zero unless it holds.

-- Every account has its fees.
select 1 / (count(*) = 0)::int from accounts a left join fee_tiers t on t.tier = a.tier where t.tier is null;

-- Every account that moved has a route by its tier.
select 1 / (count(*) = 0)::int
from accounts_tier_backup b join accounts a on a.uid = b.uid left join tier_routes r on r.tier = a.tier where r.tier is null;

-- Nobody pays other fees than before.
select 1 / (count(*) = 0)::int
from accounts_tier_backup b join accounts a on a.uid = b.uid join fee_tiers old on old.tier = b.tier join fee_tiers new on new.tier = a.tier
where (old.maker_fee, old.taker_fee) <> (new.maker_fee, new.taker_fee);

-- The gateways may read it.
select 1 / has_table_privilege('gateway', 'tier_routes', 'select')::int;
