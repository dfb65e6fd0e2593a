-- midflight: phase expand
revoke update on orders from gateway;
