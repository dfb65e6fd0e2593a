alter table orders drop column seen_at;
