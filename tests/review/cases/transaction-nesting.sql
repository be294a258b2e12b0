-- bad: wrapped twice
BEGIN; -- <-
ALTER TABLE orders ADD COLUMN note text;
COMMIT;

-- repaired: once
ALTER TABLE orders ADD COLUMN note text;

-- near miss: the runner does not wrap, and a savepoint
-- tradewright: no-transaction
BEGIN;
SAVEPOINT a;
ALTER TABLE orders ADD COLUMN note text;
COMMIT;
