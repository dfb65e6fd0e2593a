alter table orders drop column notional;
