select 1 / (to_regclass('archive.orders') is null)::int;
