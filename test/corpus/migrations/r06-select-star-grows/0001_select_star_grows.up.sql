-- midflight: phase expand
-- A column for the new release. The old one reads `select *` into a record of six.
alter table orders add column tag text;
