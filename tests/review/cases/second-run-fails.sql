-- bad: a table without a guard
CREATE TABLE orders (id uuid PRIMARY KEY); -- <-

-- bad: outside a transaction this is critical
-- tradewright: no-transaction
CREATE TABLE IF NOT EXISTS orders (id uuid PRIMARY KEY);
ALTER TABLE orders ADD CONSTRAINT orders_id_not_nil CHECK (id <> '00000000-0000-0000-0000-000000000000'); -- <-

-- repaired: guarded
CREATE TABLE IF NOT EXISTS orders (id uuid PRIMARY KEY);

-- near miss: a function is replaced
CREATE OR REPLACE FUNCTION one() RETURNS integer LANGUAGE sql RETURN 1;
