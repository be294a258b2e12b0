-- bad: a table and a column
ALTER TABLE orders RENAME COLUMN note TO remark; -- <-
ALTER TABLE orders RENAME TO tickets; -- <-

-- repaired: a second column
ALTER TABLE orders ADD COLUMN remark text;

-- near miss: an index and a constraint
ALTER INDEX idx_a RENAME TO idx_b;
ALTER TABLE orders RENAME CONSTRAINT a TO b;
