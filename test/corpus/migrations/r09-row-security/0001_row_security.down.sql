drop policy own_shard on accounts;
alter table accounts disable row level security;
