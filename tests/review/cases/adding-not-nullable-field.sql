-- bad: an earlier table
-- file: 001_a.sql
CREATE TABLE orders (id uuid PRIMARY KEY, book text);
-- file: 002_b.sql
ALTER TABLE orders ALTER COLUMN book SET NOT NULL; -- <-

-- repaired: a validated check first
-- file: 001_a.sql
CREATE TABLE orders (id uuid PRIMARY KEY, book text);
-- file: 002_b.sql
ALTER TABLE orders ADD CONSTRAINT book_there CHECK (book IS NOT NULL) NOT VALID;
-- file: 003_c.sql
ALTER TABLE orders VALIDATE CONSTRAINT book_there;
-- file: 004_d.sql
ALTER TABLE orders ALTER COLUMN book SET NOT NULL;
ALTER TABLE orders DROP CONSTRAINT book_there;

-- near miss: a table of the same file
CREATE TABLE orders (id uuid PRIMARY KEY, book text);
ALTER TABLE orders ALTER COLUMN book SET NOT NULL;

-- bad: a constraint that is checked at once
-- file: 001_orders.sql
CREATE TABLE orders (id bigint PRIMARY KEY, book text);
-- file: 002_book.sql
ALTER TABLE orders ADD CONSTRAINT orders_book_not_null NOT NULL book; -- <-

-- near miss: a constraint that is validated later, after which nothing is read again
-- file: 001_orders.sql
CREATE TABLE orders (id bigint PRIMARY KEY, book text);
-- file: 002_book.sql
ALTER TABLE orders ADD CONSTRAINT orders_book_not_null NOT NULL book NOT VALID;
-- file: 003_book.sql
ALTER TABLE orders VALIDATE CONSTRAINT orders_book_not_null;
-- file: 004_book.sql
ALTER TABLE orders ALTER COLUMN book SET NOT NULL;
