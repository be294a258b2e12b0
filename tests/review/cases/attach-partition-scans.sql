-- bad: nothing says that its rows fit
-- file: 001_base.sql
CREATE TABLE events (at timestamptz NOT NULL, PRIMARY KEY (at)) PARTITION BY RANGE (at);
CREATE TABLE events_rest PARTITION OF events DEFAULT;
CREATE TABLE events_2026 (at timestamptz NOT NULL PRIMARY KEY);
-- file: 002_next.sql
ALTER TABLE events ATTACH PARTITION events_2026 -- <-
    FOR VALUES FROM ('2026-01-01 00:00+00') TO ('2027-01-01 00:00+00');

-- repaired: a validated CHECK says it
-- file: 001_base.sql
CREATE TABLE events (at timestamptz NOT NULL, PRIMARY KEY (at)) PARTITION BY RANGE (at);
CREATE TABLE events_rest PARTITION OF events DEFAULT;
CREATE TABLE events_2026 (
    at timestamptz NOT NULL PRIMARY KEY,
    CONSTRAINT in_2026 CHECK (at >= '2026-01-01 00:00+00' AND at < '2027-01-01 00:00+00')
);
-- file: 002_next.sql
ALTER TABLE events ATTACH PARTITION events_2026
    FOR VALUES FROM ('2026-01-01 00:00+00') TO ('2027-01-01 00:00+00');

-- near miss: a new table is empty
-- file: 001_base.sql
CREATE TABLE events (at timestamptz NOT NULL, PRIMARY KEY (at)) PARTITION BY RANGE (at);
CREATE TABLE events_rest PARTITION OF events DEFAULT;
-- file: 002_next.sql
CREATE TABLE events_2026 (at timestamptz NOT NULL PRIMARY KEY);
ALTER TABLE events ATTACH PARTITION events_2026
    FOR VALUES FROM ('2026-01-01 00:00+00') TO ('2027-01-01 00:00+00');
