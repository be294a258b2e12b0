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

-- bad: with a column
ALTER TABLE orders ADD COLUMN lots integer CHECK (lots > 0); -- <-
ALTER TABLE orders
    ADD COLUMN fee numeric(20, 8) NOT NULL DEFAULT 0
        CONSTRAINT orders_fee_not_negative CHECK (fee >= 0 AND fee < 'Infinity'); -- <-

-- near miss: a column first, its CHECK later
ALTER TABLE orders ADD COLUMN lots integer;
ALTER TABLE orders ADD CONSTRAINT orders_lots_positive CHECK (lots > 0) NOT VALID;
