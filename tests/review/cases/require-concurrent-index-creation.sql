-- bad: a table of an earlier file
-- file: 001_a.sql
CREATE TABLE orders (id uuid PRIMARY KEY, symbol text NOT NULL);
-- file: 002_b.sql
CREATE INDEX idx_orders_symbol ON orders (symbol); -- <-

-- bad: a file of nothing else, where the runner needs no transaction
-- file: 001_a.sql
CREATE TABLE orders (id uuid PRIMARY KEY, symbol text NOT NULL);
-- file: 001_a.down.sql
DROP TABLE orders;
-- file: 002_b.sql
CREATE INDEX idx_orders_symbol ON orders (symbol); -- <-
-- file: 002_b.down.sql
DROP INDEX idx_orders_symbol;

-- repaired: concurrently
-- file: 001_a.sql
CREATE TABLE orders (id uuid PRIMARY KEY, symbol text NOT NULL);
-- file: 002_b.sql
-- tradewright: no-transaction
CREATE INDEX CONCURRENTLY idx_orders_symbol ON orders (symbol);

-- near miss: a new table, and a partitioned one
-- file: 001_a.sql
CREATE TABLE orders (id uuid PRIMARY KEY, symbol text NOT NULL);
CREATE INDEX idx_orders_symbol ON orders (symbol);
CREATE TABLE logs (id uuid NOT NULL, at timestamptz NOT NULL, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
CREATE TABLE logs_default PARTITION OF logs DEFAULT;
-- file: 002_b.sql
CREATE INDEX idx_logs_at ON logs (at);

-- bad: in a DO block, which runs at once
DO $$
BEGIN
    IF to_regclass('idx_orders_note') IS NULL THEN
        CREATE INDEX idx_orders_note ON orders (note); -- <-
    END IF;
END $$;

-- near miss: in a function, which somebody calls
CREATE FUNCTION index_notes() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    CREATE INDEX idx_orders_note ON orders (note);
END $$;
