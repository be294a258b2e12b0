-- bad: off, and never on again
ALTER TABLE orders SET (autovacuum_enabled = false); -- <-
CREATE TABLE trades (id uuid PRIMARY KEY) WITH (autovacuum_enabled = off); -- <-

-- repaired: on again behind the load
ALTER TABLE orders SET (autovacuum_enabled = false);
INSERT INTO orders (id) SELECT id FROM old_orders;
ALTER TABLE orders RESET (autovacuum_enabled);

-- near miss: switched on, and another setting
ALTER TABLE orders SET (autovacuum_enabled = true, autovacuum_vacuum_scale_factor = 0.01);
