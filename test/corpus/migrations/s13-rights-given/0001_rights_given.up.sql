-- midflight: phase expand
grant delete on orders to gateway;
