select 1 / (count(*) = 1)::int from pg_attribute where attrelid = 'orders'::regclass and attname = 'tag' and not attisdropped;
