-- midflight: phase expand
alter table orders add column flags int not null default 0, add column added_at timestamptz not null default now();
