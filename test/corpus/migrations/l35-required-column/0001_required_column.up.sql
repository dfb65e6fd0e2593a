-- midflight: phase expand
alter table orders add column venue text not null;
