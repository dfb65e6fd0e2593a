select 1 / (count(*) = 0)::int from orders where owner is null;
