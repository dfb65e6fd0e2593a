alter table orders drop column tag;
drop function next_tag();
