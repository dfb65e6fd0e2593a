select 1 / (count(*) = 1)::int from pg_constraint where conname = 'positive';
