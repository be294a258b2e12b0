-- bad: three methods
CREATE TABLE trades (id uuid PRIMARY KEY, account_id uuid NOT NULL, note text, data jsonb);
CREATE INDEX a ON trades USING brin (account_id); -- <-
CREATE INDEX b ON trades USING gin (note); -- <-
CREATE INDEX c ON trades (data); -- <-

-- repaired: each where it serves
CREATE TABLE trades (id uuid PRIMARY KEY, account_id uuid NOT NULL, at timestamptz NOT NULL, data jsonb);
CREATE INDEX a ON trades (account_id);
CREATE INDEX b ON trades USING brin (at);
CREATE INDEX c ON trades USING gin (data) WHERE data IS NOT NULL;

-- near miss: with an operator class, and with the extension
CREATE EXTENSION pg_trgm;
CREATE EXTENSION btree_gin;
CREATE TABLE trades (id uuid PRIMARY KEY, note text, name text);
CREATE INDEX a ON trades USING gin (note gin_trgm_ops);
CREATE INDEX b ON trades USING gin (name);
