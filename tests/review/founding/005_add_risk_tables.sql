-- Client risk.
CREATE TABLE IF NOT EXISTS client_risk_profiles (
    id UUID PRIMARY KEY DEFAULT uuid_generate_v4(),
    user_id UUID NOT NULL UNIQUE REFERENCES users(id) ON DELETE RESTRICT,
    risk_score DECIMAL(5, 2), -- <- score-without-range-check
    created_at TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP
);

CREATE TABLE IF NOT EXISTS margin_calls (
    id UUID PRIMARY KEY DEFAULT uuid_generate_v4(),
    account_id UUID NOT NULL REFERENCES accounts(id) ON DELETE RESTRICT,
    margin_level DECIMAL(10, 2) NOT NULL,
    created_at TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP
);
CREATE INDEX idx_margin_calls_account_id ON margin_calls(account_id);

-- Down Migration (Rollback) -- <- down-in-comment
-- DROP TABLE IF EXISTS margin_calls;
-- DROP TABLE IF EXISTS client_risk_profiles;
