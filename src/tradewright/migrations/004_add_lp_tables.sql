-- 004: whose prices we deal on, and what the providers answered.

CREATE TRIGGER liquidity_providers_count_revision
    BEFORE UPDATE ON liquidity_providers
    FOR EACH ROW EXECUTE FUNCTION count_revision();
CREATE TRIGGER liquidity_providers_are_audited
    AFTER INSERT OR UPDATE OR DELETE ON liquidity_providers
    FOR EACH ROW EXECUTE FUNCTION audit_row_change();
ALTER TABLE liquidity_providers ENABLE ALWAYS TRIGGER liquidity_providers_are_audited;

CREATE TRIGGER liquidity_providers_are_kept
    BEFORE DELETE OR TRUNCATE ON liquidity_providers
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER liquidity_providers_keep_their_key
    BEFORE UPDATE OF id ON liquidity_providers
    FOR EACH ROW WHEN (OLD.id IS DISTINCT FROM NEW.id)
    EXECUTE FUNCTION refuse_new_key();

-- Refuses fills of orders or providers that do not exist, a whole statement at once.
CREATE FUNCTION order_fills_refer_to_rows() RETURNS trigger
LANGUAGE plpgsql
SET search_path FROM CURRENT
SET enable_seqscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off AS $$
DECLARE
    v_id uuid;
BEGIN
    SELECT n.id INTO v_id
    FROM new_fills AS n
    LEFT JOIN orders AS o ON o.id = n.order_id
    LEFT JOIN liquidity_providers AS p ON p.id = n.provider_id
    WHERE o.id IS NULL OR p.id IS NULL
    LIMIT 1;
    IF v_id IS NOT NULL THEN
        RAISE foreign_key_violation USING
            MESSAGE = format('fill "%s" refers to an order or provider that does not exist', v_id),
            TABLE = TG_TABLE_NAME,
            CONSTRAINT = 'order_fills_order_exists';
    END IF;
    RETURN NULL;
END;
$$;
COMMENT ON FUNCTION order_fills_refer_to_rows() IS 'Trigger of order_fills: keeps its foreign keys for a whole statement at once.';
CREATE TRIGGER order_fills_refer_to_rows
    AFTER INSERT ON order_fills
    REFERENCING NEW TABLE AS new_fills
    FOR EACH STATEMENT EXECUTE FUNCTION order_fills_refer_to_rows();

CREATE TABLE provider_requests (
    id uuid
        CONSTRAINT provider_requests_pkey PRIMARY KEY,
    request_id text
        CONSTRAINT provider_requests_request_id_present NOT NULL
        CONSTRAINT provider_requests_request_id_once UNIQUE,
    order_id uuid
        CONSTRAINT provider_requests_order_id_present NOT NULL
        CONSTRAINT provider_requests_order_exists REFERENCES orders (id) ON DELETE RESTRICT,
    provider_id uuid
        CONSTRAINT provider_requests_provider_id_present NOT NULL
        CONSTRAINT provider_requests_provider_exists REFERENCES liquidity_providers (id) ON DELETE RESTRICT,
    quantity numeric(20, 8)
        CONSTRAINT provider_requests_quantity_present NOT NULL
        CONSTRAINT provider_requests_quantity_positive CHECK (quantity > 0 AND quantity < 'Infinity'),
    price numeric(20, 8)
        CONSTRAINT provider_requests_price_positive CHECK (price > 0 AND price < 'Infinity'),
    is_accepted boolean
        CONSTRAINT provider_requests_is_accepted_present NOT NULL,
    reason text,
    hold_ms integer
        CONSTRAINT provider_requests_hold_ms_present NOT NULL
        CONSTRAINT provider_requests_hold_ms_not_negative CHECK (hold_ms >= 0),
    requested_at timestamptz
        CONSTRAINT provider_requests_requested_at_present NOT NULL,
    decided_at timestamptz
        CONSTRAINT provider_requests_decided_at_present NOT NULL
        CONSTRAINT provider_requests_decided_after_requested CHECK (decided_at >= requested_at),
    CONSTRAINT provider_requests_rejection_has_reason CHECK (is_accepted = (reason IS NULL))
);
COMMENT ON TABLE provider_requests IS 'Each request to a provider and its answer after the last-look hold (FX Global Code, principle 17). Append-only.';
COMMENT ON COLUMN provider_requests.request_id IS 'FIX ClOrdID (11) under which the provider knows the request; each is recorded once, with its last word.';
COMMENT ON COLUMN provider_requests.price IS 'Limit of the request; empty when it asked for whatever price the provider had.';
COMMENT ON COLUMN provider_requests.requested_at IS 'Market time at which the request was sent.';
COMMENT ON COLUMN provider_requests.decided_at IS 'Market time at which the provider decided.';
CREATE INDEX idx_provider_requests_order_id
    ON provider_requests (order_id);
CREATE INDEX idx_provider_requests_provider_id_requested_at
    ON provider_requests (provider_id, requested_at);
CREATE TRIGGER provider_requests_are_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON provider_requests
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TABLE unsolicited_fills (
    id uuid DEFAULT uuidv7()
        CONSTRAINT unsolicited_fills_pkey PRIMARY KEY,
    provider_id uuid
        CONSTRAINT unsolicited_fills_provider_id_present NOT NULL
        CONSTRAINT unsolicited_fills_provider_exists REFERENCES liquidity_providers (id) ON DELETE RESTRICT,
    provider_execution_id text
        CONSTRAINT unsolicited_fills_provider_execution_id_present NOT NULL,
    request_id text,
    symbol text
        CONSTRAINT unsolicited_fills_symbol_present NOT NULL,
    side text
        CONSTRAINT unsolicited_fills_side_present NOT NULL
        CONSTRAINT unsolicited_fills_side_known CHECK (side IN ('buy', 'sell')),
    quantity numeric(20, 8)
        CONSTRAINT unsolicited_fills_quantity_present NOT NULL
        CONSTRAINT unsolicited_fills_quantity_positive CHECK (quantity > 0 AND quantity < 'Infinity'),
    price numeric(20, 8)
        CONSTRAINT unsolicited_fills_price_present NOT NULL
        CONSTRAINT unsolicited_fills_price_finite CHECK (price > '-Infinity' AND price < 'Infinity'),
    reason text
        CONSTRAINT unsolicited_fills_reason_present NOT NULL
        CONSTRAINT unsolicited_fills_reason_known CHECK (reason IN ('order_unknown', 'order_ended', 'more_than_asked', 'beyond_limit')),
    executed_at timestamptz
        CONSTRAINT unsolicited_fills_executed_at_present NOT NULL,
    received_at timestamptz DEFAULT clock_timestamp()
        CONSTRAINT unsolicited_fills_received_at_present NOT NULL,
    CONSTRAINT unsolicited_fills_execution_once UNIQUE (provider_id, provider_execution_id)
);
COMMENT ON TABLE unsolicited_fills IS 'Executions that a provider reported and that fit no order of ours: set aside for people to decide about, never dropped. Append-only.';
COMMENT ON COLUMN unsolicited_fills.provider_execution_id IS 'FIX ExecID (17); an execution is booked or set aside once.';
COMMENT ON COLUMN unsolicited_fills.request_id IS 'FIX ClOrdID (11) as the provider gave it.';
COMMENT ON COLUMN unsolicited_fills.symbol IS 'As the provider named it; it may be none of our instruments.';
COMMENT ON COLUMN unsolicited_fills.quantity IS 'What did not fit: all of the execution, or what was more than asked.';
CREATE TRIGGER unsolicited_fills_are_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON unsolicited_fills
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TABLE unsolicited_fill_resolutions (
    fill_id uuid
        CONSTRAINT unsolicited_fill_resolutions_pkey PRIMARY KEY
        CONSTRAINT unsolicited_fill_resolutions_fill_exists REFERENCES unsolicited_fills (id) ON DELETE RESTRICT,
    resolution text
        CONSTRAINT unsolicited_fill_resolutions_resolution_present NOT NULL
        CONSTRAINT unsolicited_fill_resolutions_resolution_known CHECK (resolution IN ('kept', 'busted', 'traded_out')),
    actor text
        CONSTRAINT unsolicited_fill_resolutions_actor_present NOT NULL
        CONSTRAINT unsolicited_fill_resolutions_actor_not_empty CHECK (actor <> ''),
    reason text
        CONSTRAINT unsolicited_fill_resolutions_reason_present NOT NULL
        CONSTRAINT unsolicited_fill_resolutions_reason_not_empty CHECK (reason <> ''),
    resolved_at timestamptz DEFAULT clock_timestamp()
        CONSTRAINT unsolicited_fill_resolutions_resolved_at_present NOT NULL
);
COMMENT ON TABLE unsolicited_fill_resolutions IS 'What was decided about an execution that fitted no order: once, by whom and why. Append-only.';
COMMENT ON COLUMN unsolicited_fill_resolutions.resolution IS 'kept: the house holds it; busted: the provider took it back (FIX ExecType H); traded_out: the house has closed it with the provider.';
CREATE TRIGGER unsolicited_fill_resolutions_are_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON unsolicited_fill_resolutions
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
