alter table accounts drop column tag;
-- midflight: allow ddl-after-exclusive-lock because this case is about the way up
alter table orders drop column tag;
