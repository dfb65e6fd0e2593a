select 1 / (to_regclass('more_notes') is not null)::int;
