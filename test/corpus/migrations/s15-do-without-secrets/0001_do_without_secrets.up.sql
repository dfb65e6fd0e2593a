-- midflight: phase expand
do $$
begin
  if not exists (select from accounts where uid = 'house') then
    insert into accounts (uid, shard, status) values ('house', 0, 'normal');
  end if;
end $$;
