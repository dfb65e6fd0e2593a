select 1 / (count(*) = 1)::int from pg_index where indexrelid = 'orders_uid'::regclass and indisvalid;
