-- midflight: phase expand
create table limits_new (uid text primary key, most numeric);
insert into limits_new select uid, 10 from accounts;
alter table limits_new alter column most set not null;
alter table limits_new rename to limits;
create unique index limits_most on limits (uid, most);
