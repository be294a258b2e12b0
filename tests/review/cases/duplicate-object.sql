-- bad: a table, an index, a column, a type, a function
-- file: 001_init.sql
CREATE TABLE users (id uuid PRIMARY KEY, name text);
CREATE INDEX idx_users_name ON users (name);
CREATE TYPE side AS ENUM ('buy', 'sell');
CREATE FUNCTION one() RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT 1';
-- file: 002_again.sql
CREATE TABLE users (id uuid PRIMARY KEY); -- <-
CREATE INDEX idx_users_name ON users (id); -- <-
CREATE TYPE side AS ENUM ('long', 'short'); -- <-
ALTER TABLE users ADD COLUMN id text; -- <-
CREATE FUNCTION one() RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT 2'; -- <-

-- repaired: replaced, or dropped before
-- file: 001_init.sql
CREATE TYPE side AS ENUM ('buy', 'sell');
CREATE FUNCTION one() RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT 1';
-- file: 002_again.sql
DROP TYPE side;
CREATE TYPE side AS ENUM ('long', 'short');
CREATE OR REPLACE FUNCTION one() RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT 2';

-- near miss: another argument, another schema, a guarded DO block
CREATE SCHEMA app;
CREATE TABLE users (id uuid PRIMARY KEY);
CREATE TABLE app.users (id uuid PRIMARY KEY);
CREATE FUNCTION one(a integer) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT 1';
CREATE FUNCTION one(a bigint) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT 1';
