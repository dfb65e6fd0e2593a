-- midflight: phase expand
do $$
begin
  execute 'drop table accounts cascade';
end $$;
