select 1 / (count(*) = 1)::int from pg_trigger where tgname = 'stamp';
