-- bad: VACUUM in a file that the runner wraps
CREATE TABLE orders (id uuid PRIMARY KEY, symbol text NOT NULL);
VACUUM (ANALYZE) orders; -- <-

-- bad: the file's own BEGIN
-- tradewright: no-transaction
BEGIN;
ALTER SYSTEM SET work_mem = '64MB'; -- <-
COMMIT;
ALTER SYSTEM SET work_mem = '64MB';

-- bad: databases and places for them
CREATE DATABASE reports; -- <-
ALTER DATABASE reports SET TABLESPACE pg_default; -- <-
REINDEX SCHEMA app; -- <-
CLUSTER; -- <-
DISCARD ALL; -- <-

-- bad: a subscription makes a slot unless it is told not to
CREATE SUBSCRIPTION copies CONNECTION 'dbname=origin' PUBLICATION all_tables; -- <-

-- bad: a DO block is a transaction wherever it stands
-- tradewright: no-transaction
CREATE TABLE orders (id uuid PRIMARY KEY, symbol text NOT NULL);
DO $$
BEGIN
    VACUUM orders; -- <-
END;
$$;

-- repaired: statistics alone
CREATE TABLE orders (id uuid PRIMARY KEY, symbol text NOT NULL);
ANALYZE orders;

-- repaired: outside a transaction
-- tradewright: no-transaction
VACUUM pg_class;

-- near miss: settings of a database, one table's index and order, a subscription without a slot
ALTER DATABASE reports SET work_mem = '64MB';
CREATE TABLE orders (id uuid PRIMARY KEY, symbol text NOT NULL);
CREATE SUBSCRIPTION copies CONNECTION 'dbname=origin' PUBLICATION all_tables WITH (connect = false);
CREATE SUBSCRIPTION others CONNECTION 'dbname=origin' PUBLICATION all_tables WITH (create_slot = off);

-- near miss: Tradewright's own layout, whose runner leaves the transaction by itself
-- file: 001_init.sql
CREATE TABLE orders (id uuid PRIMARY KEY, symbol text NOT NULL);
-- file: 001_init.down.sql
DROP TABLE orders;
-- file: 002_tidy.sql
VACUUM (ANALYZE) orders;
-- file: 002_tidy.down.sql
SELECT 1;
