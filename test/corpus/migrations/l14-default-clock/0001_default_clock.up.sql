-- midflight: phase expand
alter table orders add column seen_at timestamptz default clock_timestamp();
