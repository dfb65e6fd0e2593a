select 1 / (count(*) = 1)::int from pg_index where indexrelid = 'orders_state'::regclass and indisvalid;
