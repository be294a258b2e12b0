-- bad: one of two tables
-- file: 001_a.sql
CREATE TABLE orders (id uuid PRIMARY KEY);
CREATE TABLE trades (id uuid PRIMARY KEY); -- <-
-- file: 001_a.down.sql
DROP TABLE orders;

-- repaired: both
-- file: 001_a.sql
CREATE TABLE orders (id uuid PRIMARY KEY);
CREATE TABLE trades (id uuid PRIMARY KEY);
-- file: 001_a.down.sql
DROP TABLE trades, orders;

-- near miss: the schema goes
-- file: 001_a.sql
CREATE SCHEMA app;
CREATE TABLE app.orders (id uuid PRIMARY KEY);
-- file: 001_a.down.sql
DROP SCHEMA app CASCADE;
