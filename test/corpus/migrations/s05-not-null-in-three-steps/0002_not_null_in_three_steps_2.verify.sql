select 1 / convalidated::int from pg_constraint where conname = 'note_there';
