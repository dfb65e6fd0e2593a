create schema archive;
create table archive.orders (id int);
