select 1 / has_table_privilege('gateway', 'orders', 'delete')::int;
