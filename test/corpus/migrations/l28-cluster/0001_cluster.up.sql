-- midflight: phase expand
-- midflight: no-transaction
cluster orders using orders_uid;
