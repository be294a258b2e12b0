-- bad: a table of a later file
-- file: 001_orders.sql
CREATE TABLE orders (
    id uuid PRIMARY KEY,
    account_id uuid NOT NULL REFERENCES accounts (id) -- <-
);
CREATE INDEX idx_orders_account_id ON orders (account_id);
-- file: 002_accounts.sql
CREATE TABLE accounts (id uuid PRIMARY KEY);

-- bad: a name that is misspelt, and a table that was dropped
CREATE TABLE users (id uuid PRIMARY KEY, name text);
INSERT INTO uzers (name) VALUES ('a'); -- <-
DROP TABLE users;
ALTER TABLE users ADD COLUMN email text; -- <-

-- bad: a view over nothing
CREATE TABLE users (id uuid PRIMARY KEY, name text);
CREATE VIEW names AS SELECT name FROM people; -- <-

-- repaired: in order
CREATE TABLE accounts (id uuid PRIMARY KEY);
CREATE TABLE orders (id uuid PRIMARY KEY, account_id uuid NOT NULL REFERENCES accounts (id));
CREATE INDEX idx_orders_account_id ON orders (account_id);

-- near miss: itself, a common table expression, another schema, a guard
CREATE TABLE parts (id uuid PRIMARY KEY, whole_id uuid REFERENCES parts (id));
CREATE INDEX idx_parts_whole_id ON parts (whole_id);
CREATE VIEW tops AS WITH firsts AS (SELECT id FROM parts) SELECT id FROM firsts;
CREATE VIEW members AS SELECT * FROM auth.users;
ALTER TABLE IF EXISTS wholes ADD COLUMN name text;
CREATE VIEW settings AS SELECT name FROM pg_settings;
