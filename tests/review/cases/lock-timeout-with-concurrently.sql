-- bad: two seconds
-- tradewright: no-transaction
SET lock_timeout = '2s';
CREATE INDEX CONCURRENTLY idx_orders_symbol ON orders (symbol); -- <-

-- repaired: off
-- tradewright: no-transaction
SET lock_timeout = 0;
CREATE INDEX CONCURRENTLY idx_orders_symbol ON orders (symbol);

-- near miss: long, and reset
-- tradewright: no-transaction
SET lock_timeout = '10min';
CREATE INDEX CONCURRENTLY idx_orders_symbol ON orders (symbol);
SET lock_timeout = '2s';
RESET lock_timeout;
CREATE INDEX CONCURRENTLY idx_orders_side ON orders (side);
