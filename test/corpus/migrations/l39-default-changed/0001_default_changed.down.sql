alter table orders alter column state drop default;
