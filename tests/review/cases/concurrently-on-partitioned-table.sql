-- bad: the parent's index
-- tradewright: no-transaction
CREATE TABLE logs (id uuid NOT NULL, at timestamptz NOT NULL, PRIMARY KEY (id, at))
PARTITION BY RANGE (at);
CREATE TABLE logs_default PARTITION OF logs DEFAULT;
CREATE INDEX CONCURRENTLY idx_logs_at ON logs (at); -- <-

-- repaired: only the parent, then each partition
-- tradewright: no-transaction
CREATE TABLE logs (id uuid NOT NULL, at timestamptz NOT NULL, PRIMARY KEY (id, at))
PARTITION BY RANGE (at);
CREATE TABLE logs_default PARTITION OF logs DEFAULT;
CREATE INDEX idx_logs_at ON ONLY logs (at);
CREATE INDEX CONCURRENTLY idx_logs_default_at ON logs_default (at);
ALTER INDEX idx_logs_at ATTACH PARTITION idx_logs_default_at;

-- near miss: an index on a new partitioned table without CONCURRENTLY
CREATE TABLE logs (id uuid NOT NULL, at timestamptz NOT NULL, PRIMARY KEY (id, at))
PARTITION BY RANGE (at);
CREATE TABLE logs_default PARTITION OF logs DEFAULT;
CREATE INDEX idx_logs_at ON logs (at);
