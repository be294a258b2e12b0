-- bad: three tables
ALTER TABLE users ADD COLUMN note text;
ALTER TABLE orders ADD COLUMN note text;
ALTER TABLE trades ADD COLUMN note text; -- <-

-- repaired: one
ALTER TABLE users ADD COLUMN note text;

-- near miss: one table three times, and tables of the same file
ALTER TABLE users ADD COLUMN a text;
ALTER TABLE users ADD COLUMN b text;
ALTER TABLE users ADD COLUMN c text;

-- near miss: a type is renamed beside two tables
-- file: 001_base.sql
CREATE TABLE a (id uuid PRIMARY KEY);
CREATE TABLE b (id uuid PRIMARY KEY);
CREATE TYPE mood AS ENUM ('calm');
COMMENT ON TABLE a IS 'a';
COMMENT ON TABLE b IS 'b';
-- file: 002_next.sql
ALTER TABLE a ADD COLUMN note text;
ALTER TABLE b ADD COLUMN note text;
ALTER TYPE mood RENAME TO temper;
