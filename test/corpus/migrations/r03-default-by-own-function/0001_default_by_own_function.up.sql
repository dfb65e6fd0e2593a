-- midflight: phase expand
-- A default like any other, by its looks.
create function next_tag() returns text language plpgsql volatile as $$ begin return md5(random()::text); end $$;
alter table orders add column tag text default next_tag();
