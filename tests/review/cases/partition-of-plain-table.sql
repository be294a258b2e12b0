-- bad: the parent is a plain table
CREATE TABLE audit_log (id uuid PRIMARY KEY, created_at timestamptz NOT NULL);
CREATE TABLE IF NOT EXISTS audit_log_2026_01 PARTITION OF audit_log -- <-
    FOR VALUES FROM ('2026-01-01T00:00:00Z') TO ('2026-02-01T00:00:00Z');

-- repaired: the parent is partitioned
CREATE TABLE audit_log (
    id uuid NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (id, created_at)
) PARTITION BY RANGE (created_at);
CREATE TABLE audit_log_default PARTITION OF audit_log DEFAULT;

-- near miss: plain inheritance
CREATE TABLE parents (id uuid PRIMARY KEY);
CREATE TABLE children (id uuid PRIMARY KEY) INHERITS (parents);
