select 1 / (count(*) = 0)::int from accounts where state is null;
