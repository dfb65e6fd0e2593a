-- Each line divides by zero unless it holds.

-- The column is gone.
select 1 / (count(*) = 0)::int from pg_attribute where attrelid = 'instruments'::regclass and attname = 'max_deviation_pct' and not attisdropped;

-- Release 2.0 finds a band for every instrument.
select 1 / (count(*) = 0)::int from instruments i left join price_bands b on b.inst_id = i.inst_id where b.inst_id is null;
