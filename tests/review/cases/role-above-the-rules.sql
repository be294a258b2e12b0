-- bad: made so, and become so
CREATE ROLE trading_app LOGIN SUPERUSER; -- <-
ALTER ROLE reporting BYPASSRLS; -- <-
CREATE USER shipper REPLICATION; -- <-

-- repaired: rights by grant
CREATE ROLE trading_app LOGIN;
GRANT SELECT, INSERT ON orders TO trading_app;

-- near miss: taken away
ALTER ROLE trading_app NOSUPERUSER NOBYPASSRLS NOREPLICATION CREATEDB;
