-- midflight: phase expand
alter table orders alter column note set not null;
