select 1 / (count(*) = 0)::int from pg_constraint where conname = 'orders_uid_fkey';
