-- bad: stored
ALTER TABLE orders ADD COLUMN a bigint GENERATED ALWAYS AS (1 + 1) STORED; -- <-

-- repaired: virtual
ALTER TABLE orders ADD COLUMN a bigint GENERATED ALWAYS AS (1 + 1) VIRTUAL;

-- near miss: a table of the same file
CREATE TABLE orders (id uuid PRIMARY KEY, quantity bigint NOT NULL);
ALTER TABLE orders ADD COLUMN a bigint GENERATED ALWAYS AS (quantity + 1) STORED;
