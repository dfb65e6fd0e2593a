select 1 / (count(*) = 1)::int from pg_inherits where inhparent = 'trades'::regclass;
