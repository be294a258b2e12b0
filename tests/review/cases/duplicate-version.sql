-- bad: two files of version 2
-- file: 001_a.sql
CREATE TABLE a (id uuid PRIMARY KEY);
-- file: 002_b.sql
CREATE TABLE b (id uuid PRIMARY KEY);
-- file: 002_c.sql
CREATE TABLE c (id uuid PRIMARY KEY); -- <-

-- repaired: the next version
-- file: 001_a.sql
CREATE TABLE a (id uuid PRIMARY KEY);
-- file: 002_b.sql
CREATE TABLE b (id uuid PRIMARY KEY);

-- near miss: two directions, and versions of several parts
-- file: 1.1_a.sql
CREATE TABLE a (id uuid PRIMARY KEY);
-- file: 1.1_a.down.sql
DROP TABLE a;
-- file: 1.2_b.sql
CREATE TABLE b (id uuid PRIMARY KEY);
-- file: 1.2_b.down.sql
DROP TABLE b;
