-- bad: dropped, and changed in type, with a view of another file
-- file: 001_init.sql
CREATE TABLE users (id uuid PRIMARY KEY, name text, age integer);
CREATE VIEW names AS SELECT u.name, u.age FROM users u;
-- file: 002_change.sql
ALTER TABLE users DROP COLUMN name; -- <-
ALTER TABLE users ALTER COLUMN age TYPE bigint; -- <-

-- repaired: the view goes first
CREATE TABLE users (id uuid PRIMARY KEY, name text);
CREATE VIEW names AS SELECT name FROM users;
DROP VIEW names;
ALTER TABLE users DROP COLUMN name;

-- near miss: another column, another table with the same column
CREATE TABLE users (id uuid PRIMARY KEY, name text, age integer);
CREATE TABLE dogs (id uuid PRIMARY KEY, name text);
CREATE VIEW names AS SELECT name FROM users;
ALTER TABLE users DROP COLUMN age;
ALTER TABLE dogs DROP COLUMN name;
