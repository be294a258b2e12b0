-- bad: at once
ALTER TABLE orders ADD CONSTRAINT quantity_positive CHECK (quantity > 0); -- <-

-- repaired: two files
-- file: 001_a.sql
ALTER TABLE orders ADD CONSTRAINT quantity_positive CHECK (quantity > 0) NOT VALID;
-- file: 002_b.sql
ALTER TABLE orders VALIDATE CONSTRAINT quantity_positive;

-- near miss: a table of the same file
CREATE TABLE orders (id uuid PRIMARY KEY, quantity bigint NOT NULL);
ALTER TABLE orders ADD CONSTRAINT quantity_positive CHECK (quantity > 0);
