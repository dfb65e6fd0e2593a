-- midflight: phase expand
create function wipe() returns void language plpgsql as $$
begin
  delete from orders;
end $$;
select wipe();
