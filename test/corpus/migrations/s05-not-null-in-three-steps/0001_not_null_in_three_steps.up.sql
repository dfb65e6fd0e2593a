-- midflight: phase expand
alter table orders add constraint note_there check (note is not null) not valid;
