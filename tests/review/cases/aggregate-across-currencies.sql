-- bad: a summary of payments
CREATE TABLE payments (
    id uuid PRIMARY KEY,
    user_id uuid NOT NULL,
    amount numeric(20, 8) NOT NULL,
    fee numeric(20, 8) NOT NULL,
    currency text NOT NULL
);
CREATE MATERIALIZED VIEW payment_summary AS
SELECT
    user_id,
    count(*) AS transaction_count,
    sum(amount) AS total_volume, -- <-
    sum(fee) AS total_fees -- <-
FROM payments
GROUP BY user_id;

-- repaired: per currency
CREATE TABLE payments (id uuid PRIMARY KEY, user_id uuid NOT NULL, amount numeric(20, 8) NOT NULL, currency text NOT NULL);
CREATE VIEW totals AS SELECT user_id, currency, sum(amount) AS total FROM payments GROUP BY 1, 2;

-- near miss: one currency fixed, counts, a table without currencies
CREATE TABLE payments (id uuid PRIMARY KEY, user_id uuid NOT NULL, amount numeric(20, 8) NOT NULL, currency text NOT NULL);
CREATE TABLE points (id uuid PRIMARY KEY, amount numeric(20, 8) NOT NULL);
CREATE VIEW euros AS SELECT user_id, sum(amount) AS total FROM payments WHERE currency = 'EUR' GROUP BY user_id;
CREATE VIEW counts AS SELECT user_id, count(*) AS n FROM payments GROUP BY user_id;
CREATE VIEW sums AS SELECT sum(amount) AS total FROM points;

-- near miss: grouped by a wallet, which has one currency
CREATE TABLE wallets (id uuid PRIMARY KEY, currency text NOT NULL);
CREATE TABLE entries (
    id uuid PRIMARY KEY,
    wallet_id uuid NOT NULL REFERENCES wallets (id),
    amount numeric(20, 8) NOT NULL,
    currency text NOT NULL
);
CREATE INDEX idx_entries_wallet_id ON entries (wallet_id);
CREATE VIEW replay AS SELECT wallet_id, sum(amount) AS total FROM entries GROUP BY wallet_id;
