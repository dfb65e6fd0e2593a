alter table orders drop constraint px_positive;
