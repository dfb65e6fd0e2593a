-- midflight: phase expand
-- Owners see everything, so the migration's own verification passes.
alter table accounts enable row level security;
create policy own_shard on accounts for select using (shard = current_setting('venue.shard', true)::int);
