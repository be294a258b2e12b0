-- bad: not pinned
CREATE FUNCTION one() RETURNS integer LANGUAGE sql SECURITY DEFINER AS 'SELECT 1'; -- <-

-- repaired: pinned
CREATE FUNCTION one() RETURNS integer LANGUAGE sql SECURITY DEFINER SET search_path = app, pg_temp AS 'SELECT 1';

-- near miss: the caller's rights, and pinned later
CREATE FUNCTION one() RETURNS integer LANGUAGE sql SECURITY INVOKER AS 'SELECT 1';
CREATE FUNCTION two() RETURNS integer LANGUAGE sql SECURITY DEFINER AS 'SELECT 1';
ALTER FUNCTION two() SET search_path = pg_catalog;
