-- midflight: phase expand
create table orders_of_institutional_accounts_that_settle_in_the_evening_session (id int primary key);
