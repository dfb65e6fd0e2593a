select 1 / (to_regclass('orders_uid') is null)::int;
