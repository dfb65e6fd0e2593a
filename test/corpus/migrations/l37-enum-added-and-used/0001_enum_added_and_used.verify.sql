select 1 / (count(*) > 0)::int from orders;
