alter table orders drop column flags, drop column added_at;
