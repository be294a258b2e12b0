-- 005: when an account was in danger, and what was done.

CREATE TABLE margin_calls (
    id uuid
        CONSTRAINT margin_calls_pkey PRIMARY KEY,
    account_id uuid
        CONSTRAINT margin_calls_account_id_present NOT NULL
        CONSTRAINT margin_calls_account_exists REFERENCES accounts (id) ON DELETE RESTRICT,
    margin_level numeric(20, 4)
        CONSTRAINT margin_calls_margin_level_present NOT NULL
        CONSTRAINT margin_calls_margin_level_finite CHECK (margin_level > '-Infinity' AND margin_level < 'Infinity'),
    equity numeric(20, 8)
        CONSTRAINT margin_calls_equity_present NOT NULL
        CONSTRAINT margin_calls_equity_finite CHECK (equity > '-Infinity' AND equity < 'Infinity'),
    used_margin numeric(20, 8)
        CONSTRAINT margin_calls_used_margin_present NOT NULL
        CONSTRAINT margin_calls_used_margin_positive CHECK (used_margin > 0 AND used_margin < 'Infinity'),
    revision integer DEFAULT 1
        CONSTRAINT margin_calls_revision_present NOT NULL
        CONSTRAINT margin_calls_revision_positive CHECK (revision > 0),
    opened_at timestamptz DEFAULT clock_timestamp()
        CONSTRAINT margin_calls_opened_at_present NOT NULL,
    updated_at timestamptz DEFAULT clock_timestamp()
        CONSTRAINT margin_calls_updated_at_present NOT NULL,
    resolved_at timestamptz
        CONSTRAINT margin_calls_resolved_after_opened CHECK (resolved_at >= opened_at)
);
COMMENT ON TABLE margin_calls IS 'Times in which an account''s margin level stood at or below its margin-call level.';
COMMENT ON COLUMN margin_calls.margin_level IS 'Percent: 100 * equity / used margin, when the call was opened.';
CREATE INDEX idx_margin_calls_account_id
    ON margin_calls (account_id);
CREATE UNIQUE INDEX idx_margin_calls_account_id_open
    ON margin_calls (account_id)
    WHERE resolved_at IS NULL;
CREATE TRIGGER margin_calls_count_revision
    BEFORE UPDATE ON margin_calls
    FOR EACH ROW EXECUTE FUNCTION count_revision();
CREATE TRIGGER margin_calls_are_audited
    AFTER INSERT OR UPDATE OR DELETE ON margin_calls
    FOR EACH ROW EXECUTE FUNCTION audit_row_change();
ALTER TABLE margin_calls ENABLE ALWAYS TRIGGER margin_calls_are_audited;

CREATE TABLE stop_outs (
    id uuid
        CONSTRAINT stop_outs_pkey PRIMARY KEY,
    account_id uuid
        CONSTRAINT stop_outs_account_id_present NOT NULL
        CONSTRAINT stop_outs_account_exists REFERENCES accounts (id) ON DELETE RESTRICT,
    margin_level numeric(20, 4)
        CONSTRAINT stop_outs_margin_level_finite CHECK (margin_level > '-Infinity' AND margin_level < 'Infinity'),
    equity numeric(20, 8)
        CONSTRAINT stop_outs_equity_present NOT NULL
        CONSTRAINT stop_outs_equity_finite CHECK (equity > '-Infinity' AND equity < 'Infinity'),
    used_margin numeric(20, 8)
        CONSTRAINT stop_outs_used_margin_present NOT NULL
        CONSTRAINT stop_outs_used_margin_not_negative CHECK (used_margin >= 0 AND used_margin < 'Infinity'),
    orders_canceled integer
        CONSTRAINT stop_outs_orders_canceled_present NOT NULL
        CONSTRAINT stop_outs_orders_canceled_not_negative CHECK (orders_canceled >= 0),
    positions_closed integer
        CONSTRAINT stop_outs_positions_closed_present NOT NULL
        CONSTRAINT stop_outs_positions_closed_not_negative CHECK (positions_closed >= 0),
    forgiven numeric(20, 8)
        CONSTRAINT stop_outs_forgiven_present NOT NULL
        CONSTRAINT stop_outs_forgiven_not_negative CHECK (forgiven >= 0 AND forgiven < 'Infinity'),
    occurred_at timestamptz DEFAULT clock_timestamp()
        CONSTRAINT stop_outs_occurred_at_present NOT NULL,
    CONSTRAINT stop_outs_level_iff_margin_used CHECK ((margin_level IS NULL) = (used_margin = 0))
);
COMMENT ON TABLE stop_outs IS 'Liquidations: positions closed by the house because the margin level fell below the stop-out level. Append-only.';
COMMENT ON COLUMN stop_outs.margin_level IS 'Percent: 100 * equity / used margin before; empty when no position was left.';
COMMENT ON COLUMN stop_outs.positions_closed IS 'Positions closed in book B, or passed on to a provider to be closed in book A.';
COMMENT ON COLUMN stop_outs.forgiven IS 'Negative balance taken over by the house in the account''s currency (negative balance protection, ESMA 2018/796).';
CREATE INDEX idx_stop_outs_account_id
    ON stop_outs (account_id);
CREATE TRIGGER stop_outs_are_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON stop_outs
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
