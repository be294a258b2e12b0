-- bad: no second file
-- file: 001_a.sql
CREATE TABLE a (id uuid PRIMARY KEY);
-- file: 003_c.sql
CREATE TABLE c (id uuid PRIMARY KEY);

-- repaired: in a row
-- file: 001_a.sql
CREATE TABLE a (id uuid PRIMARY KEY);
-- file: 002_c.sql
CREATE TABLE c (id uuid PRIMARY KEY);

-- near miss: dates
-- file: 20260101_a.sql
CREATE TABLE a (id uuid PRIMARY KEY);
-- file: 20260301_c.sql
CREATE TABLE c (id uuid PRIMARY KEY);
