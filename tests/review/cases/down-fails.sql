-- bad: another name
-- file: 001_a.sql
CREATE TABLE countries (id uuid PRIMARY KEY);
-- file: 001_a.down.sql
DROP TABLE country; -- <-

-- bad: what a later file made still needs it
-- file: 001_a.sql
CREATE TABLE countries (id uuid PRIMARY KEY);
-- file: 001_a.down.sql
DROP TABLE countries; -- <-
-- file: 002_b.sql
CREATE VIEW country_names AS SELECT id FROM countries;
-- file: 002_b.down.sql
SELECT 1;

-- repaired: the same name
-- file: 001_a.sql
CREATE TABLE countries (id uuid PRIMARY KEY);
-- file: 001_a.down.sql
DROP TABLE countries;

-- near miss: a table that may be absent
-- file: 001_a.sql
CREATE TABLE countries (id uuid PRIMARY KEY);
-- file: 001_a.down.sql
DROP TABLE IF EXISTS towns;
DROP TABLE countries;
