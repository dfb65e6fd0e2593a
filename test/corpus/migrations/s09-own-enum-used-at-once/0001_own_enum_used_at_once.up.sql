-- midflight: phase expand
create type session as enum ('day', 'night');
alter type session add value 'dusk' after 'day';
create table sessions (id int primary key, session session not null);
insert into sessions values (1, 'dusk');
