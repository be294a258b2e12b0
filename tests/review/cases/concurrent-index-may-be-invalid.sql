-- bad: hidden
-- tradewright: no-transaction
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_orders_symbol ON orders (symbol); -- <-

-- repaired: dropped before
-- tradewright: no-transaction
DROP INDEX CONCURRENTLY IF EXISTS idx_orders_symbol;
CREATE INDEX CONCURRENTLY idx_orders_symbol ON orders (symbol);

-- near miss: not concurrent
CREATE TABLE orders (id uuid PRIMARY KEY, symbol text NOT NULL);
CREATE INDEX IF NOT EXISTS idx_orders_symbol ON orders (symbol);
