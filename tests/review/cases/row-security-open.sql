-- bad: true, not enabled, switched off
CREATE TABLE orders (id uuid PRIMARY KEY, owner text NOT NULL);
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON orders USING (true); -- <-
CREATE TABLE trades (id uuid PRIMARY KEY, owner text NOT NULL);
CREATE POLICY own ON trades USING (owner = current_user); -- <-

-- bad: switched off
CREATE TABLE orders (id uuid PRIMARY KEY, owner text NOT NULL);
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
ALTER TABLE orders DISABLE ROW LEVEL SECURITY; -- <-

-- repaired: whose rows
CREATE TABLE orders (id uuid PRIMARY KEY, owner text NOT NULL);
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON orders USING (owner = current_user);

-- near miss: for one role, and enabled later
CREATE TABLE orders (id uuid PRIMARY KEY, owner text NOT NULL);
CREATE POLICY staff ON orders TO staff USING (true);
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
