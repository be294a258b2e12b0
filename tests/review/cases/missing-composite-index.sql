-- bad: payments by user and status, a ledger by time, checks by risk
CREATE TABLE users (id uuid PRIMARY KEY);
CREATE TABLE payment_transactions ( -- <-
    id uuid PRIMARY KEY,
    user_id uuid NOT NULL REFERENCES users (id),
    status text NOT NULL
);
CREATE INDEX a ON payment_transactions (user_id);
CREATE TABLE balance_ledger ( -- <-
    id uuid PRIMARY KEY,
    user_id uuid NOT NULL REFERENCES users (id),
    created_at timestamptz NOT NULL
);
CREATE INDEX b ON balance_ledger (user_id);
CREATE TABLE fraud_checks (id uuid PRIMARY KEY, risk_level text NOT NULL); -- <-

-- repaired: composite
CREATE TABLE users (id uuid PRIMARY KEY);
CREATE TABLE payment_transactions (
    id uuid PRIMARY KEY,
    user_id uuid NOT NULL REFERENCES users (id),
    status text NOT NULL
);
CREATE INDEX a ON payment_transactions (user_id, status);

-- near miss: a partial index for the open ones, and a table that does not grow
CREATE TABLE users (id uuid PRIMARY KEY);
CREATE TABLE orders (id uuid PRIMARY KEY, user_id uuid NOT NULL REFERENCES users (id), status text NOT NULL);
CREATE INDEX a ON orders (user_id);
CREATE INDEX b ON orders (user_id) WHERE status = 'open';
CREATE TABLE profiles (id uuid PRIMARY KEY, user_id uuid NOT NULL UNIQUE REFERENCES users (id), status text NOT NULL);
