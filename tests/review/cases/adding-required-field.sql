-- bad: an earlier table
-- file: 001_a.sql
CREATE TABLE orders (id uuid PRIMARY KEY);
-- file: 002_b.sql
ALTER TABLE orders ADD COLUMN book text NOT NULL; -- <-

-- repaired: with a default
-- file: 001_a.sql
CREATE TABLE orders (id uuid PRIMARY KEY);
-- file: 002_b.sql
ALTER TABLE orders ADD COLUMN book text NOT NULL DEFAULT 'b';

-- near miss: a table of the same file
CREATE TABLE orders (id uuid PRIMARY KEY);
ALTER TABLE orders ADD COLUMN book text NOT NULL;
