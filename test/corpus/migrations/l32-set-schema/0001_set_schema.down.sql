alter table ledger.accounts set schema public;
drop schema ledger;
