select 1 / convalidated::int from pg_constraint where conname = 'orders_inst_fkey';
