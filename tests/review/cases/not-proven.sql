-- bad: only a superuser may, and an extension that is nowhere takes its types along
COPY (SELECT 1) TO PROGRAM 'true'; -- <-
COPY (SELECT 1) TO STDOUT; -- <-
CREATE EXTENSION no_such_extension; -- <-
CREATE TABLE places (id uuid PRIMARY KEY, at no_such_type); -- <-

-- repaired: anybody may
CREATE TABLE places (id uuid PRIMARY KEY);
INSERT INTO places (id) VALUES (uuidv7());

-- near miss: a role may be made, and is gone after the review
CREATE ROLE case_visitor NOLOGIN;

-- bad: what the machine of another server may have
CREATE TABLE orders (id bigint PRIMARY KEY) TABLESPACE fast; -- <-
CREATE TABLE users (id bigint PRIMARY KEY, name text COLLATE "xx_XX.utf8"); -- <-
CREATE FUNCTION one() RETURNS integer LANGUAGE plpython3u AS 'return 1'; -- <-
