select 1 / (to_regclass('limits') is not null)::int;
