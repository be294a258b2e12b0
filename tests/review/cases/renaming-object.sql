-- bad: a table and a column
ALTER TABLE orders RENAME COLUMN note TO remark; -- <-
ALTER TABLE orders RENAME TO tickets; -- <-

-- repaired: a second column
ALTER TABLE orders ADD COLUMN remark text;

-- near miss: an index and a constraint
ALTER INDEX idx_a RENAME TO idx_b;
ALTER TABLE orders RENAME CONSTRAINT a TO b;

-- bad: a type, a value of it, a schema and a materialized view
ALTER TYPE order_status RENAME TO status; -- <-
ALTER TYPE status RENAME VALUE 'paid' TO 'settled'; -- <-
ALTER SCHEMA billing RENAME TO accounting; -- <-
ALTER MATERIALIZED VIEW totals RENAME TO sums; -- <-

-- near miss: a type that makes room for another of its name, and a value that is added
ALTER TYPE order_status RENAME TO order_status_before;
CREATE TYPE order_status AS ENUM ('new', 'paid');
ALTER TYPE side ADD VALUE 'both';

-- bad: in a DO block
DO $$ BEGIN
    ALTER TABLE orders RENAME COLUMN note TO remark; -- <-
END $$;
