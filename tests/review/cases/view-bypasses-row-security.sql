-- bad: the view is its owner's
CREATE TABLE orders (id uuid PRIMARY KEY, owner text NOT NULL);
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON orders USING (owner = current_user);
CREATE VIEW open_orders AS SELECT id FROM orders; -- <-
CREATE VIEW all_orders WITH (security_invoker = false) AS SELECT id FROM orders; -- <-

-- repaired: with the rights of whoever asks
CREATE TABLE orders (id uuid PRIMARY KEY, owner text NOT NULL);
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON orders USING (owner = current_user);
CREATE VIEW open_orders WITH (security_invoker) AS SELECT id FROM orders;
CREATE VIEW all_orders AS SELECT id FROM orders;
ALTER VIEW all_orders SET (security_invoker = on);

-- near miss: no row security, or one that binds the owner
CREATE TABLE orders (id uuid PRIMARY KEY, owner text NOT NULL);
CREATE VIEW open_orders AS SELECT id FROM orders;
CREATE TABLE trades (id uuid PRIMARY KEY, owner text NOT NULL);
ALTER TABLE trades ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON trades USING (owner = current_user);
CREATE VIEW open_trades AS SELECT id FROM trades;
