-- bad: a file that the runner wraps
CREATE TABLE orders (id uuid PRIMARY KEY, account_id uuid NOT NULL);
CREATE INDEX CONCURRENTLY idx_orders_account_id ON orders (account_id); -- <-

-- bad: the file's own BEGIN
-- tradewright: no-transaction
CREATE TABLE orders (id uuid PRIMARY KEY, symbol text NOT NULL);
BEGIN;
CREATE INDEX CONCURRENTLY idx_orders_symbol ON orders (symbol); -- <-
COMMIT;

-- bad: two statements that golang-migrate sends as one message
-- file: 001_init.up.sql
CREATE TABLE orders (id uuid PRIMARY KEY, symbol text NOT NULL);
CREATE INDEX CONCURRENTLY idx_orders_symbol ON orders (symbol); -- <-
-- file: 001_init.down.sql
DROP TABLE orders;

-- bad: goose without its directive
-- +goose Up
CREATE TABLE orders (id uuid PRIMARY KEY, symbol text NOT NULL);
CREATE INDEX CONCURRENTLY idx_orders_symbol ON orders (symbol); -- <-
-- +goose Down
DROP TABLE orders;

-- repaired: outside a transaction
-- tradewright: no-transaction
CREATE TABLE orders (id uuid PRIMARY KEY, symbol text NOT NULL);
CREATE INDEX CONCURRENTLY idx_orders_symbol ON orders (symbol);

-- repaired: goose with its directive
-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE orders (id uuid PRIMARY KEY, symbol text NOT NULL);
CREATE INDEX CONCURRENTLY idx_orders_symbol ON orders (symbol);
-- +goose Down
DROP TABLE orders;

-- near miss: REFRESH CONCURRENTLY may run in a transaction
CREATE TABLE sales (id uuid PRIMARY KEY);
CREATE MATERIALIZED VIEW totals AS SELECT id FROM sales;
CREATE UNIQUE INDEX totals_once ON totals (id);
REFRESH MATERIALIZED VIEW CONCURRENTLY totals;

-- near miss: Tradewright's own layout, whose runner leaves the transaction by itself
-- file: 001_init.sql
CREATE TABLE orders (id uuid PRIMARY KEY, symbol text NOT NULL);
-- file: 001_init.down.sql
DROP TABLE orders;
-- file: 002_indexes.sql
CREATE INDEX CONCURRENTLY idx_orders_symbol ON orders (symbol);
-- file: 002_indexes.down.sql
DROP INDEX CONCURRENTLY IF EXISTS idx_orders_symbol;

-- bad: two statements that Prisma sends as one message
-- file: 1_init/migration.sql
CREATE TABLE orders (id uuid PRIMARY KEY, symbol text NOT NULL);
CREATE INDEX CONCURRENTLY idx_orders_symbol ON orders (symbol); -- <-

-- near miss: Prisma sends one statement, which is in no transaction
-- file: 1_init/migration.sql
CREATE TABLE orders (id uuid PRIMARY KEY, symbol text NOT NULL);
-- file: 2_index/migration.sql
CREATE INDEX CONCURRENTLY idx_orders_symbol ON orders (symbol);

-- bad: Flyway, which refuses such a statement beside others
-- file: V1__init.sql
CREATE TABLE orders (id uuid PRIMARY KEY, symbol text NOT NULL);
CREATE INDEX CONCURRENTLY idx_orders_symbol ON orders (symbol); -- <-

-- near miss: Flyway sends a file of such statements alone outside a transaction
-- file: V1__init.sql
CREATE TABLE orders (id uuid PRIMARY KEY, symbol text NOT NULL);
-- file: V2__index.sql
CREATE INDEX CONCURRENTLY idx_orders_symbol ON orders (symbol);
