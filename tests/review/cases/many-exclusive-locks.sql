-- bad: three tables
ALTER TABLE users ADD COLUMN note text;
ALTER TABLE orders ADD COLUMN note text;
ALTER TABLE trades ADD COLUMN note text; -- <-

-- repaired: one
ALTER TABLE users ADD COLUMN note text;

-- near miss: one table three times, and tables of the same file
ALTER TABLE users ADD COLUMN a text;
ALTER TABLE users ADD COLUMN b text;
ALTER TABLE users ADD COLUMN c text;
