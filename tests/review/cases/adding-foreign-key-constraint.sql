-- bad: at once, and with a new column
ALTER TABLE orders ADD CONSTRAINT a FOREIGN KEY (user_id) REFERENCES users (id); -- <-
ALTER TABLE orders ADD COLUMN book_id uuid REFERENCES books (id); -- <-

-- repaired: two files
-- file: 001_a.sql
ALTER TABLE orders ADD CONSTRAINT a FOREIGN KEY (user_id) REFERENCES users (id) NOT VALID;
-- file: 002_b.sql
ALTER TABLE orders VALIDATE CONSTRAINT a;

-- near miss: a table of the same file
CREATE TABLE users (id uuid PRIMARY KEY);
CREATE TABLE orders (id uuid PRIMARY KEY, user_id uuid NOT NULL);
CREATE INDEX idx_orders_user_id ON orders (user_id);
ALTER TABLE orders ADD CONSTRAINT a FOREIGN KEY (user_id) REFERENCES users (id);
