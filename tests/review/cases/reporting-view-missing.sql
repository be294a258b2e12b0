-- bad: no view
CREATE TABLE payments ( -- <-
    id uuid PRIMARY KEY,
    amount numeric(20, 8) NOT NULL,
    currency text NOT NULL,
    status text NOT NULL,
    created_at timestamptz NOT NULL
);

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
