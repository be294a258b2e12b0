-- The tables as the review wants them, and then its own advice, taken word by word.
CREATE TABLE users (id uuid PRIMARY KEY DEFAULT uuidv7());

CREATE TABLE user_balances (
    user_id uuid NOT NULL REFERENCES users (id) ON DELETE RESTRICT,
    currency text NOT NULL,
    available_balance numeric(20, 8) NOT NULL DEFAULT 0,
    PRIMARY KEY (user_id, currency)
);

CREATE TABLE balance_ledger (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id uuid NOT NULL REFERENCES users (id) ON DELETE RESTRICT,
    amount numeric(20, 8) NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX idx_balance_ledger_user_time ON balance_ledger (user_id, created_at DESC);

CREATE TABLE payment_transactions (
    id uuid PRIMARY KEY,
    user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE, -- <- cascade-to-retained-record
    amount numeric(20, 8) NOT NULL,
    fee numeric(20, 8) NOT NULL,
    currency text NOT NULL,
    status text NOT NULL,
    created_at timestamptz NOT NULL
);
CREATE INDEX idx_payment_transactions_user_status ON payment_transactions (user_id, status);
CREATE INDEX idx_user_balances_user_id ON user_balances (user_id); -- <- duplicate-index

CREATE TABLE audit_log (
    id uuid NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (id, created_at)
) PARTITION BY RANGE (created_at);
CREATE TABLE IF NOT EXISTS audit_log_2026_01 PARTITION OF audit_log
    FOR VALUES FROM ('2026-01-01') TO ('2026-02-01'); -- <- partition-bound-without-zone
