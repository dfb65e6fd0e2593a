-- midflight: phase expand
-- midflight: no-transaction
create table notes (id int primary key);
create table more_notes (id int primary key);
