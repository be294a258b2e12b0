-- bad: none set
ALTER TABLE orders ADD COLUMN note text; -- <-

-- repaired: set
SET lock_timeout = '5s';
ALTER TABLE orders ADD COLUMN note text;

-- near miss: only new tables
CREATE TABLE orders (id uuid PRIMARY KEY);
ALTER TABLE orders ADD COLUMN note text;
