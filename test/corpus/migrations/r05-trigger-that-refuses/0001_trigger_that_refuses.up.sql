-- midflight: phase expand
-- Amends below the tick are refused by the store. The old release rounds after it wrote.
create function check_tick() returns trigger language plpgsql as $$
begin
  if new.px <> trunc(new.px, 0) or new.px > old.px then raise exception 'price % is off the tick', new.px; end if;
  return new;
end $$;
create trigger orders_tick before update of px on orders for each row execute function check_tick();
