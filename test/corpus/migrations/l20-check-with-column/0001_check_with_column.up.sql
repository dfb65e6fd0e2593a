-- midflight: phase expand
alter table orders add column filled numeric default 0 check (filled >= 0);
