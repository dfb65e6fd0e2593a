select 1 / (count(*) = 1)::int from pg_constraint where conname = 'orders_once';
