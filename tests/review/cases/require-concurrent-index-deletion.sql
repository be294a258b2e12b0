-- bad: of an earlier file
-- file: 001_a.sql
CREATE TABLE orders (id uuid PRIMARY KEY, symbol text NOT NULL);
CREATE INDEX idx_orders_symbol ON orders (symbol);
-- file: 002_b.sql
DROP INDEX idx_orders_symbol; -- <-

-- repaired: concurrently
-- file: 001_a.sql
CREATE TABLE orders (id uuid PRIMARY KEY, symbol text NOT NULL);
CREATE INDEX idx_orders_symbol ON orders (symbol);
-- file: 002_b.sql
-- tradewright: no-transaction
DROP INDEX CONCURRENTLY idx_orders_symbol;

-- near miss: a down migration
-- file: 001_a.sql
CREATE TABLE orders (id uuid PRIMARY KEY, symbol text NOT NULL);
CREATE INDEX idx_orders_symbol ON orders (symbol);
-- file: 001_a.down.sql
DROP INDEX idx_orders_symbol;
DROP TABLE orders;
