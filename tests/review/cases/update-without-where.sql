-- bad: in a later file, and in a function
-- file: 001_a.sql
CREATE TABLE orders (id uuid PRIMARY KEY, status text NOT NULL);
-- file: 002_b.sql
UPDATE orders SET status = 'closed'; -- <-
CREATE FUNCTION clear() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM orders; -- <-
END
$$;

-- repaired: some rows
-- file: 001_a.sql
CREATE TABLE orders (id uuid PRIMARY KEY, status text NOT NULL);
-- file: 002_b.sql
UPDATE orders SET status = 'closed' WHERE status = 'done';

-- near miss: a table of the same file, and a join
CREATE TABLE orders (id uuid PRIMARY KEY, status text NOT NULL);
CREATE TABLE news (id uuid PRIMARY KEY, status text NOT NULL);
UPDATE orders SET status = 'new';
UPDATE orders SET status = n.status FROM news AS n WHERE n.id = orders.id;
