-- bad: in a view, a statement and a function
CREATE TABLE owners (id bigint PRIMARY KEY);
CREATE TABLE orders (id bigint PRIMARY KEY, owner_id bigint REFERENCES owners (id));
CREATE INDEX idx_orders_owner_id ON orders (owner_id);
CREATE VIEW idle AS SELECT id FROM owners WHERE id NOT IN (SELECT owner_id FROM orders); -- <-
DELETE FROM owners WHERE id NOT IN (SELECT o.owner_id FROM orders AS o); -- <-

-- repaired: NOT EXISTS, or without the NULLs
CREATE TABLE owners (id bigint PRIMARY KEY);
CREATE TABLE orders (id bigint PRIMARY KEY, owner_id bigint REFERENCES owners (id));
CREATE INDEX idx_orders_owner_id ON orders (owner_id);
CREATE VIEW idle AS
SELECT id FROM owners WHERE NOT EXISTS (SELECT FROM orders WHERE owner_id = owners.id);
DELETE FROM owners WHERE id NOT IN (SELECT owner_id FROM orders WHERE owner_id IS NOT NULL);

-- near miss: the column has a value always, or is a key, or is asked for being in
CREATE TABLE owners (id bigint PRIMARY KEY);
CREATE TABLE orders (id bigint PRIMARY KEY, owner_id bigint NOT NULL REFERENCES owners (id));
CREATE INDEX idx_orders_owner_id ON orders (owner_id);
CREATE VIEW idle AS SELECT id FROM owners WHERE id NOT IN (SELECT owner_id FROM orders);
CREATE VIEW same AS SELECT id FROM owners WHERE id NOT IN (SELECT id FROM orders);
CREATE VIEW busy AS SELECT id FROM owners WHERE id IN (SELECT owner_id FROM orders);
CREATE VIEW few AS SELECT id FROM owners WHERE id NOT IN (1, 2);
