alter table orders add column state text not null default 'live';
