select 1 / (to_regclass('orders_of_institutional_accounts_that_settle_in_the_evening_ses') is not null)::int;
