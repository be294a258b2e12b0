-- bad: bare dates
CREATE TABLE logs (id uuid NOT NULL, at timestamptz NOT NULL, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
CREATE TABLE logs_2026_01 PARTITION OF logs
    FOR VALUES FROM ('2026-01-01') TO ('2026-02-01'); -- <-
CREATE TABLE logs_default PARTITION OF logs DEFAULT;

-- repaired: with a zone
CREATE TABLE logs (id uuid NOT NULL, at timestamptz NOT NULL, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
CREATE TABLE logs_2026_01 PARTITION OF logs
    FOR VALUES FROM ('2026-01-01 00:00:00+00') TO ('2026-02-01 00:00:00+00');
CREATE TABLE logs_default PARTITION OF logs DEFAULT;

-- near miss: a key that is a date
CREATE TABLE logs (id uuid NOT NULL, on_day date NOT NULL, PRIMARY KEY (id, on_day)) PARTITION BY RANGE (on_day);
CREATE TABLE logs_2026_01 PARTITION OF logs FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
CREATE TABLE logs_default PARTITION OF logs DEFAULT;
