select 1 / (count(*) = 1)::int from pg_attribute where attrelid = 'orders'::regclass and attname = 'px' and format_type(atttypid, atttypmod) = 'numeric(24,10)';
