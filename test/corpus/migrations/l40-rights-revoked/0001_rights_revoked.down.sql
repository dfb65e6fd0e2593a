grant update on orders to gateway;
