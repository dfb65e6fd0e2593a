alter table orders rename column price to px;
