-- bad: other columns in a later file
-- file: 001_init.sql
CREATE TABLE IF NOT EXISTS users (id uuid PRIMARY KEY, name text);
-- file: 002_again.sql
CREATE TABLE IF NOT EXISTS users (id uuid PRIMARY KEY, email text); -- <-

-- repaired: altered
CREATE TABLE IF NOT EXISTS users (id uuid PRIMARY KEY, name text);
ALTER TABLE users ADD COLUMN email text;

-- near miss: the same columns again
CREATE TABLE IF NOT EXISTS users (id uuid PRIMARY KEY, name text);
CREATE TABLE IF NOT EXISTS users (id uuid PRIMARY KEY, name text);
