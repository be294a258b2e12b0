-- bad: of an earlier file
-- file: 001_a.sql
CREATE TABLE orders (id uuid PRIMARY KEY, note text);
-- file: 002_b.sql
ALTER TABLE orders DROP COLUMN note; -- <-

-- repaired: kept for now
-- file: 001_a.sql
CREATE TABLE orders (id uuid PRIMARY KEY, note text);
-- file: 002_b.sql
COMMENT ON COLUMN orders.note IS 'Retired.';

-- near miss: the down migration
-- file: 001_a.sql
CREATE TABLE orders (id uuid PRIMARY KEY);
-- file: 001_a.down.sql
DROP TABLE orders;
-- file: 002_b.sql
ALTER TABLE orders ADD COLUMN note text;
-- file: 002_b.down.sql
ALTER TABLE orders DROP COLUMN note;
