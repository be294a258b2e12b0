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

-- near miss: a new table
-- file: 001_a.sql
CREATE TABLE orders (id uuid PRIMARY KEY, symbol text NOT NULL);
CREATE INDEX idx_orders_symbol ON orders (symbol);

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

-- bad: on every partition at once
-- file: 001_base.sql
CREATE TABLE events (at timestamptz NOT NULL, PRIMARY KEY (at)) PARTITION BY RANGE (at);
CREATE TABLE events_rest PARTITION OF events DEFAULT;
-- file: 002_next.sql
CREATE INDEX idx_events_at ON events (at DESC); -- <-

-- near miss: on the parent alone
-- file: 001_base.sql
CREATE TABLE events (at timestamptz NOT NULL, PRIMARY KEY (at)) PARTITION BY RANGE (at);
CREATE TABLE events_rest PARTITION OF events DEFAULT;
-- file: 002_next.sql
CREATE INDEX idx_events_day ON ONLY events (at DESC);
