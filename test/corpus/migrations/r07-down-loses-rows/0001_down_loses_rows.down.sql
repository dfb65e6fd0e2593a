update accounts set status = 'unknown' where uid <> '';
alter table accounts alter column status set not null;
alter table accounts drop column state;
