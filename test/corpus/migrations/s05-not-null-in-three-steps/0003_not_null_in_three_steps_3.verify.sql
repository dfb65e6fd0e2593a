select 1 / attnotnull::int from pg_attribute where attrelid = 'orders'::regclass and attname = 'note';
