-- midflight: phase expand
alter table orders add constraint px_positive check (px > 0);
