-- bad: a stored column that is computed anew
-- file: 001_a.sql
CREATE TABLE orders (id uuid PRIMARY KEY, lots bigint, units bigint GENERATED ALWAYS AS (lots * 100) STORED);
-- file: 002_b.sql
ALTER TABLE orders ALTER COLUMN units SET EXPRESSION AS (lots * 1000); -- <-

-- repaired: nothing is moved
-- file: 001_a.sql
CREATE TABLE orders (id uuid PRIMARY KEY, note text);
-- file: 002_b.sql
ALTER TABLE orders SET (fillfactor = 70);

-- near miss: a table of the same file, and one that is only emptied
-- file: 001_a.sql
CREATE TABLE orders (id uuid PRIMARY KEY, note text);
ALTER TABLE orders SET UNLOGGED;
CREATE TABLE scratch (id uuid PRIMARY KEY);
-- file: 002_b.sql
TRUNCATE scratch;
