-- midflight: phase expand
create schema ledger;
alter table accounts set schema ledger;
