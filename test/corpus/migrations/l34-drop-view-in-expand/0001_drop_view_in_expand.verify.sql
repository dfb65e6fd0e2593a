select 1 / (to_regclass('open_orders') is null)::int;
