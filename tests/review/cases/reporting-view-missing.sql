-- bad: no view
CREATE TABLE payments ( -- <-
    id uuid PRIMARY KEY,
    amount numeric(20, 8) NOT NULL,
    currency text NOT NULL,
    status text NOT NULL,
    created_at timestamptz NOT NULL
);

-- bad: a view that only chooses rows
CREATE TABLE payments ( -- <-
    id uuid PRIMARY KEY,
    amount numeric(20, 8) NOT NULL,
    currency text NOT NULL,
    status text NOT NULL,
    created_at timestamptz NOT NULL
);
CREATE VIEW open_payments AS SELECT id, amount, currency FROM payments WHERE status = 'pending';

-- repaired: a materialized view
CREATE TABLE payments (
    id uuid PRIMARY KEY,
    amount numeric(20, 8) NOT NULL,
    currency text NOT NULL,
    status text NOT NULL,
    created_at timestamptz NOT NULL
);
CREATE MATERIALIZED VIEW completed AS
    SELECT id, amount, currency FROM payments WHERE status = 'completed';
CREATE UNIQUE INDEX completed_once ON completed (id);

-- repaired: a view
CREATE TABLE payments (
    id uuid PRIMARY KEY,
    amount numeric(20, 8) NOT NULL,
    currency text NOT NULL,
    status text NOT NULL,
    created_at timestamptz NOT NULL
);
CREATE VIEW totals AS SELECT currency, sum(amount) AS total FROM payments GROUP BY currency;

-- near miss: payment methods
CREATE TABLE payment_methods (id uuid PRIMARY KEY, status text NOT NULL, created_at timestamptz NOT NULL);
