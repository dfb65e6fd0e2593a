-- midflight: phase expand
alter table orders validate constraint note_there;
