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

-- bad: two folders of diesel
-- file: 2026-01-01_a/up.sql
CREATE TABLE a (id uuid PRIMARY KEY);
-- file: 2026-01-01_b/up.sql
CREATE TABLE b (id uuid PRIMARY KEY); -- <-

-- near miss: Prisma goes by whole names, and other numbers are no versions
-- file: 20260101_a/migration.sql
CREATE TABLE a (id uuid PRIMARY KEY);
-- file: 20260101_b/migration.sql
CREATE TABLE b (id uuid PRIMARY KEY);
-- file: add_sha2.sql
CREATE TABLE c (id uuid PRIMARY KEY);
-- file: drop_step_2.sql
CREATE TABLE d (id uuid PRIMARY KEY);
-- file: make_step_2.sql
CREATE TABLE e (id uuid PRIMARY KEY);
