-- bad: one of two
-- file: 001_a.sql
CREATE TABLE a (id uuid PRIMARY KEY);
-- file: 001_a.down.sql
DROP TABLE a;
-- file: 002_b.sql
CREATE TABLE b (id uuid PRIMARY KEY);

-- repaired: both
-- file: 001_a.sql
CREATE TABLE a (id uuid PRIMARY KEY);
-- file: 001_a.down.sql
DROP TABLE a;
-- file: 002_b.sql
CREATE TABLE b (id uuid PRIMARY KEY);
-- file: 002_b.down.sql
DROP TABLE b;

-- near miss: the project goes only forward
-- file: 001_a.sql
CREATE TABLE a (id uuid PRIMARY KEY);
-- file: 002_b.sql
CREATE TABLE b (id uuid PRIMARY KEY);
