-- midflight: phase expand
-- The old type is numeric(20, 8) too: whether a change rewrites depends on the scale, and the file does not say what it was.
alter table orders alter column px type numeric(24, 10);
