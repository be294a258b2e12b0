-- bad: two statements on their own
-- tradewright: no-transaction
CREATE TABLE orders (id uuid PRIMARY KEY, symbol text NOT NULL); -- <-
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_orders_symbol ON orders (symbol);

-- repaired: guarded
-- tradewright: no-transaction
CREATE TABLE IF NOT EXISTS orders (id uuid PRIMARY KEY, symbol text NOT NULL);
DROP INDEX CONCURRENTLY IF EXISTS idx_orders_symbol;
CREATE INDEX CONCURRENTLY idx_orders_symbol ON orders (symbol);

-- near miss: in a transaction, or one statement
CREATE TABLE orders (id uuid PRIMARY KEY, symbol text NOT NULL);
CREATE INDEX idx_orders_symbol ON orders (symbol);
