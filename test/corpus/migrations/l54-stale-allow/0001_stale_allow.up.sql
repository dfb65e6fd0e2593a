-- midflight: phase expand
-- midflight: allow required-column because the table is empty
alter table orders add column tag text;
