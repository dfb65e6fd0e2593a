select 1 / (count(*) = 40)::int from accounts;
