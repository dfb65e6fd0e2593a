-- midflight: phase expand
-- The new release writes 'cancelled'. The old one writes 'canceled' until it is gone.
alter table orders add constraint orders_state check (state in ('live', 'filled', 'cancelled')) not valid;
