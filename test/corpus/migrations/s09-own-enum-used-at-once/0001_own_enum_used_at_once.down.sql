drop table sessions;
drop type session;
