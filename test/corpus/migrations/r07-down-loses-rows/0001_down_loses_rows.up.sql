-- midflight: phase expand
-- The way back adds the column again, so the catalogue is what it was. What stood in it is gone.
alter table accounts add column state text;
update accounts set state = case status when 'normal' then 'n' else 'x' end where uid <> '';
alter table accounts alter column status drop not null;
update accounts set status = 'moved' where uid <> '';
