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
        CONSTRAINT provider_requests_price_present NOT NULL
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
COMMENT ON COLUMN provider_requests.requested_at IS 'Market time at which the request was sent.';
COMMENT ON COLUMN provider_requests.decided_at IS 'Market time at which the provider decided.';
CREATE INDEX idx_provider_requests_order_id
    ON provider_requests (order_id);
CREATE INDEX idx_provider_requests_provider_id_requested_at
    ON provider_requests (provider_id, requested_at);
CREATE TRIGGER provider_requests_are_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON provider_requests
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
