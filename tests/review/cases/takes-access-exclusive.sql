-- bad: two tables, told once
-- file: 001_a.sql
CREATE TABLE orders (id uuid PRIMARY KEY);
CREATE TABLE fills (id uuid PRIMARY KEY);
-- file: 002_b.sql
COMMENT ON TABLE orders IS 'Orders.';
ALTER TABLE orders ADD COLUMN note text; -- <-
ALTER TABLE fills ADD COLUMN note text;

-- repaired: a lock that lets readers and writers through
-- file: 001_a.sql
CREATE TABLE orders (id uuid PRIMARY KEY);
-- file: 002_b.sql
ALTER TABLE orders SET (fillfactor = 70);

-- near miss: the table is new, and a file outside a transaction lets go at once
-- file: 001_a.sql
CREATE TABLE orders (id uuid PRIMARY KEY);
ALTER TABLE orders ADD COLUMN note text;
-- file: 002_b.sql
-- tradewright: no-transaction
ALTER TABLE orders ADD COLUMN IF NOT EXISTS remark text;
