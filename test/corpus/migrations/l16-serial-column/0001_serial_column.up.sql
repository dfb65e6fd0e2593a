-- midflight: phase expand
alter table orders add column seq bigserial;
