-- bad: no end
-- tradewright: no-transaction
BEGIN; -- <-
ALTER TABLE orders ADD COLUMN note text;

-- repaired: committed
-- tradewright: no-transaction
BEGIN;
ALTER TABLE orders ADD COLUMN note text;
COMMIT;

-- near miss: END is COMMIT
-- tradewright: no-transaction
START TRANSACTION;
ALTER TABLE orders ADD COLUMN note text;
END;
