-- bad: to everybody, and everything
CREATE TABLE orders (id uuid PRIMARY KEY);
GRANT ALL ON ALL TABLES IN SCHEMA public TO PUBLIC; -- <-
GRANT SELECT ON orders TO PUBLIC; -- <-
GRANT ALL PRIVILEGES ON orders TO trader; -- <-

-- repaired: what is needed
CREATE TABLE orders (id uuid PRIMARY KEY);
GRANT SELECT, INSERT ON orders TO trader;

-- near miss: taken away, and harmless ones
CREATE SCHEMA app;
REVOKE ALL ON SCHEMA app FROM PUBLIC;
GRANT USAGE ON SCHEMA app TO PUBLIC;
GRANT ALL ON SCHEMA app TO trader;
