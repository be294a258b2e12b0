-- bad: the column may be NULL
-- file: 001_base.sql
CREATE TABLE accounts (number bigint);
CREATE UNIQUE INDEX accounts_number ON accounts (number);
COMMENT ON TABLE accounts IS 'accounts';
-- file: 002_next.sql
ALTER TABLE accounts ADD CONSTRAINT accounts_pkey PRIMARY KEY USING INDEX accounts_number; -- <-

-- repaired: it cannot
-- file: 001_base.sql
CREATE TABLE accounts (number bigint NOT NULL);
CREATE UNIQUE INDEX accounts_number ON accounts (number);
COMMENT ON TABLE accounts IS 'accounts';
-- file: 002_next.sql
ALTER TABLE accounts ADD CONSTRAINT accounts_pkey PRIMARY KEY USING INDEX accounts_number;

-- near miss: a unique key, and a new table
-- file: 001_base.sql
CREATE TABLE accounts (number bigint, id uuid PRIMARY KEY);
CREATE UNIQUE INDEX accounts_number ON accounts (number);
COMMENT ON TABLE accounts IS 'accounts';
-- file: 002_next.sql
ALTER TABLE accounts ADD CONSTRAINT accounts_number_once UNIQUE USING INDEX accounts_number;
CREATE TABLE fresh (number bigint);
CREATE UNIQUE INDEX fresh_number ON fresh (number);
ALTER TABLE fresh ADD CONSTRAINT fresh_pkey PRIMARY KEY USING INDEX fresh_number;
COMMENT ON TABLE fresh IS 'fresh';
