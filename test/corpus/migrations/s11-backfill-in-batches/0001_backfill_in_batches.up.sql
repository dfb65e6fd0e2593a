-- midflight: phase expand
alter table orders add column owner text;
