-- Each line divides by zero unless it holds.

-- Every instrument has a band.
select 1 / (count(*) = 0)::int from instruments i left join price_bands b on b.inst_id = i.inst_id where b.inst_id is null;

-- No band shuts out the price of the last trade.
select 1 / (count(*) = 0)::int from price_bands where lower_pct <= 0 or upper_pct <= 0;

-- The gateways may read it.
select 1 / has_table_privilege('gateway', 'price_bands', 'select')::int;
