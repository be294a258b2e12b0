-- bad: of an earlier file
-- file: 001_base.sql
CREATE TABLE orders (
    id uuid PRIMARY KEY,
    size int CONSTRAINT orders_size_positive CHECK (size > 0)
);
COMMENT ON TABLE orders IS 'orders';
-- file: 002_next.sql
ALTER TABLE orders DROP CONSTRAINT orders_size_positive; -- <-

-- repaired: another takes its place
-- file: 001_base.sql
CREATE TABLE orders (
    id uuid PRIMARY KEY,
    size int CONSTRAINT orders_size_positive CHECK (size > 0)
);
COMMENT ON TABLE orders IS 'orders';
-- file: 002_next.sql
ALTER TABLE orders
    DROP CONSTRAINT orders_size_positive,
    ADD CONSTRAINT orders_size_not_negative CHECK (size >= 0) NOT VALID;

-- near miss: in the file that made the table, and in a down
-- file: 001_base.sql
CREATE TABLE orders (
    id uuid PRIMARY KEY,
    size int CONSTRAINT orders_size_positive CHECK (size > 0)
);
ALTER TABLE orders DROP CONSTRAINT orders_size_positive;
COMMENT ON TABLE orders IS 'orders';
-- file: 001_base.down.sql
DROP TABLE orders;
-- file: 002_next.sql
ALTER TABLE orders ADD CONSTRAINT orders_size_small CHECK (size < 9) NOT VALID;
-- file: 002_next.down.sql
ALTER TABLE orders DROP CONSTRAINT orders_size_small;
-- file: 003_last.sql
ALTER TABLE orders VALIDATE CONSTRAINT orders_size_small;
-- file: 003_last.down.sql
COMMENT ON TABLE orders IS 'orders';

-- near miss: as Prisma drops a table, and what refers to it
-- file: 001_base.sql
CREATE TABLE accounts (id uuid PRIMARY KEY);
CREATE TABLE notes (
    id uuid PRIMARY KEY,
    account_id uuid CONSTRAINT notes_account_exists REFERENCES accounts (id),
    size int CONSTRAINT notes_size_positive CHECK (size > 0)
);
CREATE INDEX idx_notes_account_id ON notes (account_id);
COMMENT ON TABLE accounts IS 'accounts';
COMMENT ON TABLE notes IS 'notes';
-- file: 002_next.sql
-- tradewright: ignore-file ban-drop-table: nobody uses it any more
ALTER TABLE notes DROP CONSTRAINT notes_account_exists;
ALTER TABLE notes DROP CONSTRAINT notes_size_positive;
ALTER TABLE notes DROP COLUMN size;
DROP TABLE accounts;
