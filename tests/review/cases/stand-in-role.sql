-- bad: a grant and an owner
CREATE TABLE orders (id uuid PRIMARY KEY);
GRANT SELECT ON orders TO case_reporting; -- <-
ALTER TABLE orders OWNER TO case_owner; -- <-
ALTER TABLE orders ADD COLUMN note text;

-- repaired: the migration makes the role
CREATE ROLE case_reporting NOLOGIN;
CREATE TABLE orders (id uuid PRIMARY KEY);
GRANT SELECT ON orders TO case_reporting;

-- near miss: everybody and oneself are always there
CREATE TABLE orders (id uuid PRIMARY KEY);
REVOKE ALL ON orders FROM PUBLIC;
GRANT SELECT ON orders TO CURRENT_USER;
