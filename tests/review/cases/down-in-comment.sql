-- bad: under a heading
CREATE TABLE orders (id uuid PRIMARY KEY);
-- Down Migration (Rollback) -- <-
-- DROP INDEX IF EXISTS idx_orders;
-- DROP TABLE IF EXISTS orders CASCADE;

-- bad: as a block
CREATE TABLE orders (id uuid PRIMARY KEY);
/* ROLLBACK: -- <-
DROP TABLE orders;
*/

-- repaired: a file of its own
-- file: 001_a.sql
CREATE TABLE orders (id uuid PRIMARY KEY);
-- file: 001_a.down.sql
DROP TABLE orders;

-- near miss: prose that mentions a drop
-- We DROP TABLE nothing here; orders is new.
CREATE TABLE orders (id uuid PRIMARY KEY);
