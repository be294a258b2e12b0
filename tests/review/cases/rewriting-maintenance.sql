-- bad: both
-- tradewright: no-transaction
VACUUM FULL orders; -- <-
CLUSTER orders USING orders_pkey; -- <-

-- repaired: a plain vacuum
-- tradewright: no-transaction
VACUUM (ANALYZE) orders;

-- near miss: analyze
ANALYZE orders;

-- bad: a table is moved, or taken out of the log
-- file: 001_orders.sql
CREATE TABLE orders (id bigint PRIMARY KEY);
-- file: 002_move.sql
ALTER TABLE orders SET TABLESPACE fast; -- <-
ALTER TABLE orders SET UNLOGGED; -- <-
ALTER TABLE orders SET LOGGED; -- <-

-- near miss: a table of the same file
CREATE TABLE orders_before (id bigint PRIMARY KEY);
ALTER TABLE orders_before SET UNLOGGED;
