drop table bands;
