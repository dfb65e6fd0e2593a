select 1 / (count(*) = 1)::int from accounts where uid = 'house';
