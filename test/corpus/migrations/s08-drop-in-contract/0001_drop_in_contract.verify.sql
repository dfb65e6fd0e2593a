select 1 / (count(*) = 0)::int from pg_attribute where attrelid = 'accounts'::regclass and attname = 'nickname' and not attisdropped;
