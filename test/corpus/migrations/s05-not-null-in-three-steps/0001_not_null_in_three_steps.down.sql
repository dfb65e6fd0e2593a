alter table orders drop constraint note_there;
