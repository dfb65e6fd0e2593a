-- midflight: phase expand
alter table orders add column owner text;
update orders o set owner = a.uid from accounts a where a.uid = o.uid;
