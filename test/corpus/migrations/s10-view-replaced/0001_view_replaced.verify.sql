select 1 / has_table_privilege('gateway', 'open_orders', 'select')::int;
