alter table orders drop constraint note_there, add constraint note_there check (note is not null) not valid;
