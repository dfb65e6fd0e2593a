-- midflight: allow type-change-rewrite because this case is about the way up
alter table orders alter column id type int;
