-- bad: one file
ALTER TABLE orders ADD CONSTRAINT quantity_positive CHECK (quantity > 0) NOT VALID;
ALTER TABLE orders VALIDATE CONSTRAINT quantity_positive; -- <-

-- repaired: two files
-- file: 001_a.sql
ALTER TABLE orders ADD CONSTRAINT quantity_positive CHECK (quantity > 0) NOT VALID;
-- file: 002_b.sql
ALTER TABLE orders VALIDATE CONSTRAINT quantity_positive;

-- near miss: outside a transaction
-- tradewright: no-transaction
ALTER TABLE orders ADD CONSTRAINT quantity_positive CHECK (quantity > 0) NOT VALID;
ALTER TABLE orders VALIDATE CONSTRAINT quantity_positive;
