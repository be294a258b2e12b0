-- bad: never validated
CREATE TABLE orders (id uuid PRIMARY KEY, quantity bigint NOT NULL);
ALTER TABLE orders
    ADD CONSTRAINT quantity_positive CHECK (quantity > 0) NOT VALID; -- <-

-- repaired: validated by a later file
-- file: 001_a.sql
CREATE TABLE orders (id uuid PRIMARY KEY, quantity bigint NOT NULL);
ALTER TABLE orders ADD CONSTRAINT quantity_positive CHECK (quantity > 0) NOT VALID;
-- file: 002_b.sql
ALTER TABLE orders VALIDATE CONSTRAINT quantity_positive;

-- near miss: dropped again
CREATE TABLE orders (id uuid PRIMARY KEY, quantity bigint NOT NULL);
ALTER TABLE orders ADD CONSTRAINT quantity_positive CHECK (quantity > 0) NOT VALID;
ALTER TABLE orders DROP CONSTRAINT quantity_positive;

-- near miss: not enforced, so there is nothing to validate
CREATE TABLE users (id uuid PRIMARY KEY);
CREATE TABLE orders (id uuid PRIMARY KEY, user_id uuid NOT NULL,
    CONSTRAINT orders_user_exists FOREIGN KEY (user_id) REFERENCES users (id) NOT ENFORCED);

-- bad: a NOT NULL
CREATE TABLE orders (id uuid PRIMARY KEY, book text);
ALTER TABLE orders ADD CONSTRAINT orders_book_not_null NOT NULL book NOT VALID; -- <-

-- near miss: a NOT NULL that is validated
CREATE TABLE orders (id uuid PRIMARY KEY, book text);
ALTER TABLE orders ADD CONSTRAINT orders_book_not_null NOT NULL book NOT VALID;
ALTER TABLE orders VALIDATE CONSTRAINT orders_book_not_null;
