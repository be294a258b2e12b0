-- bad: both
TRUNCATE users CASCADE; -- <-
DROP VIEW totals CASCADE; -- <-

-- repaired: named
DROP VIEW totals_by_day, totals;

-- near miss: the down migration
-- file: 001_a.sql
CREATE TABLE orders (id uuid PRIMARY KEY);
-- file: 001_a.down.sql
DROP TABLE orders CASCADE;
