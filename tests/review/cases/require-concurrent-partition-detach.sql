-- bad: plain
ALTER TABLE logs DETACH PARTITION logs_2020; -- <-

-- repaired: concurrently
-- tradewright: no-transaction
ALTER TABLE logs DETACH PARTITION logs_2020 CONCURRENTLY;

-- near miss: a parent with a default partition
-- file: 001_a.sql
CREATE TABLE logs (id uuid NOT NULL, at timestamptz NOT NULL, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
CREATE TABLE logs_default PARTITION OF logs DEFAULT;
CREATE TABLE logs_2020 PARTITION OF logs FOR VALUES FROM ('2020-01-01 00:00+00') TO ('2021-01-01 00:00+00');
-- file: 002_b.sql
ALTER TABLE logs DETACH PARTITION logs_2020;
