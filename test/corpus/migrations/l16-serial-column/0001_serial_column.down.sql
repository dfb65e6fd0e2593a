alter table orders drop column seq;
