-- midflight: phase expand
alter table orders add constraint px_positive check (px > 0) not valid;
alter table orders validate constraint px_positive;
