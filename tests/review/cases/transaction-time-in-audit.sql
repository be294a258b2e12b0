-- bad: an audit trail
CREATE TABLE audit_log (
    id uuid PRIMARY KEY,
    created_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP -- <-
);
CREATE TABLE balance_ledger (
    id uuid PRIMARY KEY,
    created_at timestamptz NOT NULL DEFAULT now() -- <-
);

-- repaired: the clock
CREATE TABLE audit_log (id uuid PRIMARY KEY, created_at timestamptz NOT NULL DEFAULT clock_timestamp());

-- near miss: a sequence gives the order, and a table of users
CREATE TABLE audit_log (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE users (id uuid PRIMARY KEY, created_at timestamptz NOT NULL DEFAULT now());
