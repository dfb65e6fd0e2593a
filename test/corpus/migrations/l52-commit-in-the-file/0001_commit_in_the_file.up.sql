-- midflight: phase expand
alter table orders add column tag text;
end;
