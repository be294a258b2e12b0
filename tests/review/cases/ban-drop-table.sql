-- bad: of an earlier file
-- file: 001_a.sql
CREATE TABLE orders (id uuid PRIMARY KEY);
-- file: 002_b.sql
DROP TABLE IF EXISTS orders; -- <-

-- repaired: a view is dropped
CREATE TABLE orders (id uuid PRIMARY KEY);
CREATE VIEW ids AS SELECT id FROM orders;
DROP VIEW ids;

-- near miss: the down migration, and a guard before the first CREATE
-- file: 001_a.sql
DROP TABLE IF EXISTS orders;
CREATE TABLE orders (id uuid PRIMARY KEY);
-- file: 001_a.down.sql
DROP TABLE orders;
