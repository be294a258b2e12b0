-- bad: both
-- tradewright: no-transaction
VACUUM FULL orders; -- <-
CLUSTER orders USING orders_pkey; -- <-

-- repaired: a plain vacuum
-- tradewright: no-transaction
VACUUM (ANALYZE) orders;

-- near miss: analyze
ANALYZE orders;
