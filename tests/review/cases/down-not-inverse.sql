-- bad: a type stays behind
-- file: 001_a.sql
CREATE TABLE countries (id uuid PRIMARY KEY);
-- file: 001_a.down.sql
DROP TABLE countries;
-- file: 002_b.sql
CREATE TYPE status AS ENUM ('new', 'done');
ALTER TABLE countries ADD COLUMN status status;
-- file: 002_b.down.sql
ALTER TABLE countries DROP COLUMN status; -- <-

-- bad: outside a transaction, and the up cannot be run again behind it
-- file: 001_a.sql
-- tradewright: no-transaction
CREATE TABLE countries (id uuid PRIMARY KEY, name text);
-- file: 001_a.down.sql
-- tradewright: no-transaction
ALTER TABLE countries DROP COLUMN name; -- <-

-- repaired: both are taken back
-- file: 001_a.sql
CREATE TYPE status AS ENUM ('new', 'done');
CREATE TABLE countries (id uuid PRIMARY KEY, status status);
-- file: 001_a.down.sql
DROP TABLE countries;
DROP TYPE status;

-- near miss: a column comes back at the end of its table
-- file: 001_a.sql
CREATE TABLE countries (id uuid PRIMARY KEY, name text, code text);
-- file: 001_a.down.sql
DROP TABLE countries;
-- file: 002_b.sql
ALTER TABLE countries ALTER COLUMN name SET DEFAULT 'a';
-- file: 002_b.down.sql
ALTER TABLE countries ALTER COLUMN name DROP DEFAULT;
