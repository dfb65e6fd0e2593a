select 1 / (count(*) = 1)::int from pg_enum where enumlabel = 'hectic';
