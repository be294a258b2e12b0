-- bad: a table of an earlier file uses it
-- file: 001_base.sql
CREATE DOMAIN score AS numeric(5, 2);
CREATE TABLE risks (id uuid PRIMARY KEY, risk score CHECK (risk < 'Infinity'));
COMMENT ON TABLE risks IS 'risks';
-- file: 002_next.sql
ALTER DOMAIN score ADD CONSTRAINT score_in_range CHECK (VALUE BETWEEN 0 AND 100); -- <-

-- bad: NOT NULL scans too
-- file: 001_base.sql
CREATE DOMAIN code AS text;
CREATE TABLE risks (id uuid PRIMARY KEY, code code);
COMMENT ON TABLE risks IS 'risks';
-- file: 002_next.sql
ALTER DOMAIN code SET NOT NULL; -- <-

-- repaired: not valid
ALTER DOMAIN score ADD CONSTRAINT score_in_range CHECK (VALUE BETWEEN 0 AND 100) NOT VALID;

-- near miss: the domain and its tables are new, or nobody uses it
CREATE DOMAIN score AS numeric(5, 2);
CREATE DOMAIN lonely AS numeric(5, 2);
CREATE TABLE risks (id uuid PRIMARY KEY, risk score);
ALTER DOMAIN score ADD CONSTRAINT score_in_range CHECK (VALUE BETWEEN 0 AND 100);
ALTER DOMAIN lonely ADD CONSTRAINT lonely_in_range CHECK (VALUE BETWEEN 0 AND 100);
