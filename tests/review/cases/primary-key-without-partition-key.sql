-- bad: primary key and unique
CREATE TABLE audit_log (
    id uuid PRIMARY KEY, -- <-
    token text NOT NULL UNIQUE, -- <-
    created_at timestamptz NOT NULL
) PARTITION BY RANGE (created_at);
CREATE TABLE audit_log_default PARTITION OF audit_log DEFAULT;

-- repaired: with the partition key
CREATE TABLE audit_log (
    id uuid NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (id, created_at)
) PARTITION BY RANGE (created_at);
CREATE TABLE audit_log_default PARTITION OF audit_log DEFAULT;

-- near miss: a partition may have a key of its own
CREATE TABLE audit_log (
    id uuid NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (created_at, id)
) PARTITION BY RANGE (created_at);
CREATE TABLE audit_log_default PARTITION OF audit_log DEFAULT;
ALTER TABLE audit_log_default ADD CONSTRAINT audit_log_default_id_once UNIQUE (id);
