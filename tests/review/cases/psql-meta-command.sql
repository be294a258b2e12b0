-- bad: including another file
CREATE TABLE a (id uuid PRIMARY KEY);
\i functions.sql
-- bad: a setting of psql
\set ON_ERROR_STOP on
CREATE TABLE a (id uuid PRIMARY KEY);

-- repaired: SQL only
CREATE TABLE a (id uuid PRIMARY KEY);

-- near miss: a backslash in a string, at a line's beginning
CREATE TABLE a (id uuid PRIMARY KEY, note text DEFAULT '
\i is for psql');
