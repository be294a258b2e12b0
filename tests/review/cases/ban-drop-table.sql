-- bad: of an earlier file
-- file: 001_a.sql
CREATE TABLE orders (id uuid PRIMARY KEY);
-- file: 002_b.sql
DROP TABLE IF EXISTS orders; -- <-

-- repaired: a view is dropped
CREATE TABLE orders (id uuid PRIMARY KEY);
CREATE VIEW ids AS SELECT id FROM orders;
DROP VIEW ids;

-- near miss: the down migration, and a guard before the first CREATE
-- file: 001_a.sql
DROP TABLE IF EXISTS orders;
CREATE TABLE orders (id uuid PRIMARY KEY);
-- file: 001_a.down.sql
DROP TABLE orders;

-- bad: as a constant behind EXECUTE
-- file: 001_a.sql
CREATE TABLE orders (id uuid PRIMARY KEY);
CREATE TABLE trades (id uuid PRIMARY KEY);
-- file: 002_b.sql
DO $$
BEGIN
    IF current_database() = 'broker' THEN
        EXECUTE 'DROP TABLE orders'; -- <-
        EXECUTE $q$
            DROP TABLE trades -- <-
        $q$;
    END IF;
END $$;

-- near miss: a text that is put together, or is said and not run
-- file: 001_a.sql
CREATE TABLE orders (id uuid PRIMARY KEY);
CREATE TABLE trades (id uuid PRIMARY KEY);
-- file: 002_b.sql
DO $$
BEGIN
    EXECUTE 'DROP TABLE ' || quote_ident('orders');
    RAISE NOTICE 'DROP TABLE orders';
END $$;
