update orders set owner = null where id between 1 and 2000;
