-- bad: a new access method parameter that moves every row
-- file: 001_a.sql
CREATE TABLE orders (id uuid PRIMARY KEY, note text);
-- file: 002_b.sql
ALTER TABLE orders SET UNLOGGED; -- <-

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
