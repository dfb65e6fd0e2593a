revoke delete on orders from gateway;
