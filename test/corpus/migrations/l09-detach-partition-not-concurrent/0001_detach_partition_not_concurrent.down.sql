alter table trades attach partition trades_1 for values in (1);
