-- midflight: phase expand
alter table orders alter column state set default 'pending';
