select 1 / (to_regclass('accounts') is null)::int;
