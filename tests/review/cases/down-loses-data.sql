-- bad: payments
-- file: 001_a.sql
CREATE TABLE payments (id uuid PRIMARY KEY);
-- file: 001_a.down.sql
DROP TABLE payments; -- <-

-- repaired: kept aside
-- file: 001_a.sql
CREATE TABLE payments (id uuid PRIMARY KEY);
-- file: 001_a.down.sql
ALTER TABLE payments RENAME TO payments_kept;

-- near miss: a look-up table
-- file: 001_a.sql
CREATE TABLE countries (id uuid PRIMARY KEY);
-- file: 001_a.down.sql
DROP TABLE countries;
