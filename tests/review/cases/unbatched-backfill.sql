-- bad: added and filled
ALTER TABLE orders ADD COLUMN book text;
UPDATE orders SET book = 'b' WHERE book IS NULL; -- <-

-- repaired: a constant default costs nothing
ALTER TABLE orders ADD COLUMN book text NOT NULL DEFAULT 'b';

-- bad: another table is locked all the while
ALTER TABLE orders ADD COLUMN book text;
UPDATE books SET name = 'b' WHERE name IS NULL; -- <-

-- near miss: one row by its key, and another table before the lock
UPDATE books SET name = 'b' WHERE name IS NULL;
ALTER TABLE orders ADD COLUMN book text;
UPDATE orders SET book = 'b' WHERE id = 5;
