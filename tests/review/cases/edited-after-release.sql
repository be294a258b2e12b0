-- bad: the first file
-- file: 001_a.sql
-- edited: 001_a.sql
CREATE TABLE a (id uuid PRIMARY KEY);
-- file: 002_b.sql
CREATE TABLE b (id uuid PRIMARY KEY);

-- repaired: a new file
-- file: 001_a.sql
CREATE TABLE a (id uuid PRIMARY KEY);
-- file: 002_b.sql
ALTER TABLE a ADD COLUMN note text;

-- near miss: another file was edited
-- file: 001_a.sql
-- edited: readme.sql
CREATE TABLE a (id uuid PRIMARY KEY);
