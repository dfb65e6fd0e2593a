select 1 / (to_regclass('notes') is not null)::int;
