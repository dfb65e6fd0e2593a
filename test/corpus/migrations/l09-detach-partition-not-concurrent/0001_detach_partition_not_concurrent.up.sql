-- midflight: phase expand
alter table trades detach partition trades_1;
