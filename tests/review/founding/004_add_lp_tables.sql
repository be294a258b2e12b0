-- Liquidity providers and their quotes.
CREATE TABLE IF NOT EXISTS liquidity_providers (
    id UUID PRIMARY KEY DEFAULT uuid_generate_v4(),
    name TEXT NOT NULL UNIQUE,
    created_at TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP
);

CREATE TABLE IF NOT EXISTS lp_quotes (
    id UUID PRIMARY KEY DEFAULT uuid_generate_v4(),
    liquidity_provider_id UUID NOT NULL REFERENCES liquidity_providers(id) ON DELETE RESTRICT,
    symbol TEXT NOT NULL,
    bid DECIMAL(20, 8) NOT NULL,
    ask DECIMAL(20, 8) NOT NULL,
    quoted_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX idx_lp_quotes_provider ON lp_quotes(liquidity_provider_id);

-- Down Migration (Rollback) -- <- down-in-comment
-- DROP TABLE IF EXISTS lp_quotes;
-- DROP TABLE IF EXISTS liquidity_providers;
