-- bad: a second check under a made-up name
CREATE TABLE IF NOT EXISTS orders (id uuid PRIMARY KEY, quantity numeric(20, 8) NOT NULL); -- <-
ALTER TABLE orders ADD CHECK (quantity > 0 AND quantity < 'Infinity');

-- repaired: the check stands in the table
CREATE TABLE IF NOT EXISTS orders (
    id uuid PRIMARY KEY,
    quantity numeric(20, 8) NOT NULL CHECK (quantity > 0 AND quantity < 'Infinity')
);

-- near miss: rows come twice, the schema does not
CREATE TABLE IF NOT EXISTS notes (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, note text);
INSERT INTO notes (note) VALUES ('a');
