-- bad: a row that breaks a check of its own table
CREATE TABLE orders (id uuid PRIMARY KEY, side text NOT NULL CHECK (side IN ('buy', 'sell')));
INSERT INTO orders (id, side) VALUES ('0198c5f0-0000-7000-8000-000000000000', 'hold'); -- <-

-- bad: the place in a statement of several lines is where the server stopped
CREATE TABLE orders (id uuid PRIMARY KEY, side text NOT NULL);
SELECT
    id,
    side + 1 -- <-
FROM orders;

-- bad: the rest of the file is tried, and so are later files
-- file: 001_a.sql
SELECT 1 / 0; -- <-
CREATE TABLE orders (id uuid PRIMARY KEY);
-- file: 002_b.sql
SELECT 2 / 0; -- <-

-- bad: what fails for want of the refused statement is not reported again
CREATE TABLE orders AS SELECT 1 / 0 AS id; -- <-
SELECT id FROM orders;

-- repaired: it applies
CREATE TABLE orders (id uuid PRIMARY KEY, side text NOT NULL);
SELECT
    id,
    side || '1'
FROM orders;

-- near miss: the server refuses what the shadow's role may not do
CREATE TABLE orders (id uuid PRIMARY KEY);
CREATE EVENT TRIGGER watch ON ddl_command_start EXECUTE FUNCTION pg_catalog.suppress_redundant_updates_trigger();
