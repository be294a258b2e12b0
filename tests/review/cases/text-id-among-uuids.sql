-- bad: keys of two kinds
-- file: 001_init.sql
CREATE TABLE users (id uuid PRIMARY KEY);
CREATE TABLE accounts (id uuid PRIMARY KEY);
-- file: 002_payments.sql
CREATE TABLE payments (
    id VARCHAR(64) PRIMARY KEY, -- <-
    user_id VARCHAR(64) NOT NULL -- <-
);

-- repaired: one kind
CREATE TABLE users (id uuid PRIMARY KEY);
CREATE TABLE payments (id uuid PRIMARY KEY DEFAULT uuidv7());

-- near miss: codes, and a schema of text keys
CREATE TABLE currencies (code text PRIMARY KEY);
CREATE TABLE a (id text PRIMARY KEY);
CREATE TABLE b (id text PRIMARY KEY);
CREATE TABLE c (id uuid PRIMARY KEY);
