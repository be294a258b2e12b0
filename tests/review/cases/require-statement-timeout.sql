-- bad: none set
UPDATE orders SET book = 'b' WHERE book IS NULL; -- <-

-- repaired: set
SET statement_timeout = '10min';
UPDATE orders SET book = 'b' WHERE book IS NULL;

-- near miss: a new table
CREATE TABLE orders (id uuid PRIMARY KEY, book text);
UPDATE orders SET book = 'b' WHERE book IS NULL;
