select 1 / (not has_table_privilege('gateway', 'orders', 'update'))::int;
