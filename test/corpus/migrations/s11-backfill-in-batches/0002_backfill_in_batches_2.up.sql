-- midflight: phase expand
-- midflight: no-transaction
update orders set owner = uid where id between 1 and 1000 and owner is null;
update orders set owner = uid where id between 1001 and 2000 and owner is null;
