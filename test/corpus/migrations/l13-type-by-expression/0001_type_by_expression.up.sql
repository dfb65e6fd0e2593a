-- midflight: phase expand
alter table orders alter column state type text using upper(state);
