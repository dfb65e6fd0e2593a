-- midflight: phase expand
do $$
declare t record;
begin
  for t in select tablename from pg_tables where schemaname = 'public' loop
    execute format('alter table %I add column tag text', t.tablename);
  end loop;
end $$;
