select 1 / (count(*) = 20)::int from accounts_vip;
