-- bad: wider numbers, and a shorter text
-- file: 001_a.sql
CREATE TABLE orders (id uuid PRIMARY KEY, number integer, note varchar(50), price numeric(20, 8));
-- file: 002_b.sql
ALTER TABLE orders ALTER COLUMN number TYPE bigint; -- <-
ALTER TABLE orders ALTER COLUMN note TYPE varchar(20); -- <-
ALTER TABLE orders ALTER COLUMN price TYPE numeric(20, 2); -- <-

-- repaired: a new column
-- file: 001_a.sql
CREATE TABLE orders (id uuid PRIMARY KEY, number integer);
-- file: 002_b.sql
ALTER TABLE orders ADD COLUMN number_new bigint;

-- near miss: free changes
-- file: 001_a.sql
CREATE TABLE orders (id uuid PRIMARY KEY, name varchar(50), note varchar(50), price numeric(20, 8));
-- file: 002_b.sql
ALTER TABLE orders ALTER COLUMN note TYPE varchar(80), ALTER COLUMN name TYPE text;
ALTER TABLE orders ALTER COLUMN price TYPE numeric(30, 8);

-- near miss: an attribute of a composite type
-- file: 001_a.sql
CREATE TYPE spec AS (size integer);
-- file: 002_b.sql
ALTER TYPE spec ALTER ATTRIBUTE size TYPE smallint;
