do $$
begin
  null;
end $$;
