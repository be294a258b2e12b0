-- bad: wrapped twice
-- file: 001_orders.sql
BEGIN; -- <-
ALTER TABLE orders ADD COLUMN note text;
COMMIT;
-- file: 001_orders.down.sql
ALTER TABLE orders DROP COLUMN note;

-- repaired: once
ALTER TABLE orders ADD COLUMN note text;

-- near miss: the runner does not wrap, and a savepoint
-- tradewright: no-transaction
BEGIN;
SAVEPOINT a;
ALTER TABLE orders ADD COLUMN note text;
COMMIT;

-- near miss: no runner is known, and the file is written for psql
BEGIN;
ALTER TABLE orders ADD COLUMN note text;
COMMIT;
CREATE INDEX CONCURRENTLY idx_orders_note ON orders (note);
