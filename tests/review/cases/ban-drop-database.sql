-- bad: both
DROP SCHEMA app CASCADE; -- <-
DROP DATABASE production; -- <-

-- repaired: rights are taken
REVOKE ALL ON SCHEMA app FROM PUBLIC;

-- near miss: the down migration
-- file: 001_a.sql
CREATE SCHEMA app;
-- file: 001_a.down.sql
DROP SCHEMA app;
