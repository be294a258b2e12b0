-- bad: no policy
CREATE TABLE orders (id uuid PRIMARY KEY, owner text NOT NULL);
ALTER TABLE orders ENABLE ROW LEVEL SECURITY; -- <-

-- repaired: with one
CREATE TABLE orders (id uuid PRIMARY KEY, owner text NOT NULL);
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON orders USING (owner = current_user);

-- near miss: the policy comes in a later file, or the table goes
-- file: 001_base.sql
CREATE TABLE orders (id uuid PRIMARY KEY, owner text NOT NULL);
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
COMMENT ON TABLE orders IS 'orders';
-- file: 002_next.sql
CREATE POLICY own ON public.orders USING (owner = current_user);
