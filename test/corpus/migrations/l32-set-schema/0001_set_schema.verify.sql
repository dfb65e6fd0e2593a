select 1 / (to_regclass('ledger.accounts') is not null)::int;
