-- bad: of an existing table
ALTER TABLE orders ALTER COLUMN account_id DROP NOT NULL; -- <-

-- repaired: a default instead
ALTER TABLE orders ALTER COLUMN account_id SET DEFAULT gen_random_uuid();

-- near miss: a new table, and a column that could be NULL before
-- file: 001_base.sql
CREATE TABLE orders (id uuid PRIMARY KEY, note text, size int NOT NULL);
ALTER TABLE orders ALTER COLUMN size DROP NOT NULL;
COMMENT ON TABLE orders IS 'orders';
-- file: 002_next.sql
ALTER TABLE orders ALTER COLUMN note DROP NOT NULL;
