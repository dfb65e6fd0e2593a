-- midflight: phase expand
with gone as (delete from orders returning id) select count(*) from gone;
