select 1 / (count(*) = 1)::int from sessions where session = 'dusk';
