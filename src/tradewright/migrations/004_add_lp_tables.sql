-- 004: whose prices we deal on, what the providers answered, and which book an order went to.

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
SET enable_hashjoin = on
SET enable_nestloop = off
SET enable_mergejoin = off AS $$
DECLARE
    v_id uuid;
BEGIN
    IF current_setting('tradewright.writes_batches', true) = 'on' THEN
        PERFORM
        FROM new_fills AS n
        LEFT JOIN (
            SELECT s.id FROM orders AS s WHERE s.id = ANY(ARRAY(SELECT x.order_id FROM new_fills AS x)) OFFSET 0
        ) AS o ON o.id = n.order_id
        LEFT JOIN liquidity_providers AS p ON p.id = n.provider_id
        WHERE o.id IS NULL OR p.id IS NULL;
        IF NOT FOUND THEN
            RETURN NULL;
        END IF;
    END IF;
    SELECT n.id INTO v_id
    FROM new_fills AS n
    LEFT JOIN LATERAL (SELECT s.id FROM orders AS s WHERE s.id = n.order_id OFFSET 0) AS o ON true
    LEFT JOIN LATERAL (SELECT s.id FROM liquidity_providers AS s WHERE s.id = n.provider_id OFFSET 0) AS p ON true
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

CREATE TABLE hedges (
    id uuid
        CONSTRAINT hedges_pkey PRIMARY KEY,
    symbol text
        CONSTRAINT hedges_symbol_present NOT NULL
        CONSTRAINT hedges_instrument_exists REFERENCES instruments (symbol) ON DELETE RESTRICT,
    side text
        CONSTRAINT hedges_side_present NOT NULL
        CONSTRAINT hedges_side_known CHECK (side IN ('buy', 'sell')),
    quantity numeric(20, 8)
        CONSTRAINT hedges_quantity_present NOT NULL
        CONSTRAINT hedges_quantity_positive CHECK (quantity > 0 AND quantity < 'Infinity'),
    filled_quantity numeric(20, 8) DEFAULT 0
        CONSTRAINT hedges_filled_quantity_present NOT NULL
        CONSTRAINT hedges_filled_within_quantity CHECK (filled_quantity >= 0 AND filled_quantity < 'Infinity' AND filled_quantity <= quantity),
    status text DEFAULT 'open'
        CONSTRAINT hedges_status_present NOT NULL
        CONSTRAINT hedges_status_known CHECK (status IN ('open', 'filled', 'partially_filled', 'rejected')),
    exposure numeric(20, 8)
        CONSTRAINT hedges_exposure_present NOT NULL
        CONSTRAINT hedges_exposure_finite CHECK (exposure > '-Infinity' AND exposure < 'Infinity'),
    exposure_limit numeric(20, 8)
        CONSTRAINT hedges_exposure_limit_present NOT NULL
        CONSTRAINT hedges_exposure_limit_positive CHECK (exposure_limit > 0 AND exposure_limit < 'Infinity'),
    target numeric(20, 8)
        CONSTRAINT hedges_target_present NOT NULL
        CONSTRAINT hedges_target_not_negative CHECK (target >= 0 AND target < 'Infinity'),
    engine_id uuid
        CONSTRAINT hedges_engine_exists REFERENCES engines (id) ON DELETE RESTRICT,
    decided_at timestamptz
        CONSTRAINT hedges_decided_at_present NOT NULL,
    revision integer DEFAULT 1
        CONSTRAINT hedges_revision_present NOT NULL
        CONSTRAINT hedges_revision_positive CHECK (revision > 0),
    created_at timestamptz DEFAULT clock_timestamp()
        CONSTRAINT hedges_created_at_present NOT NULL,
    updated_at timestamptz DEFAULT clock_timestamp()
        CONSTRAINT hedges_updated_at_present NOT NULL,
    CONSTRAINT hedges_open_by_an_engine CHECK (status <> 'open' OR engine_id IS NOT NULL),
    CONSTRAINT hedges_offset_the_exposure CHECK ((side = 'sell') = (exposure > 0)),
    CONSTRAINT hedges_stop_at_the_target CHECK (quantity <= abs(exposure) - target),
    CONSTRAINT hedges_status_is_what_was_filled CHECK (
        CASE status
            WHEN 'filled' THEN filled_quantity = quantity
            WHEN 'partially_filled' THEN filled_quantity > 0 AND filled_quantity < quantity
            WHEN 'rejected' THEN filled_quantity = 0
            ELSE filled_quantity < quantity
        END
    )
);
COMMENT ON TABLE hedges IS 'Trades of the house with providers that bring its exposure in a symbol back to the target.';
COMMENT ON COLUMN hedges.status IS 'open: a provider''s last word is awaited; then what came of it. A fill that comes later is still booked.';
COMMENT ON COLUMN hedges.exposure IS 'The house''s net exposure when the hedge was decided; the side is the other.';
COMMENT ON COLUMN hedges.decided_at IS 'Market time of the decision.';
COMMENT ON COLUMN hedges.engine_id IS 'The engine that asks the providers, or asked them last.';
CREATE INDEX idx_hedges_engine_id
    ON hedges (engine_id);
CREATE INDEX idx_hedges_symbol
    ON hedges (symbol);
-- One at a time: the next is decided when it is known what came of this one.
CREATE UNIQUE INDEX idx_hedges_symbol_open
    ON hedges (symbol)
    WHERE status = 'open';
CREATE TRIGGER hedges_count_revision
    BEFORE UPDATE ON hedges
    FOR EACH ROW EXECUTE FUNCTION count_revision();
CREATE TRIGGER hedges_are_audited
    AFTER INSERT OR UPDATE OR DELETE ON hedges
    FOR EACH ROW EXECUTE FUNCTION audit_row_change();
ALTER TABLE hedges ENABLE ALWAYS TRIGGER hedges_are_audited;
CREATE TRIGGER hedges_are_kept
    BEFORE DELETE OR TRUNCATE ON hedges
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER hedges_keep_their_terms
    BEFORE UPDATE OF id, symbol, side, quantity, exposure, exposure_limit, target, decided_at ON hedges
    FOR EACH ROW WHEN (
        (OLD.id, OLD.symbol, OLD.side, OLD.quantity, OLD.exposure, OLD.exposure_limit, OLD.target, OLD.decided_at)
        IS DISTINCT FROM
        (NEW.id, NEW.symbol, NEW.side, NEW.quantity, NEW.exposure, NEW.exposure_limit, NEW.target, NEW.decided_at)
    )
    EXECUTE FUNCTION refuse_new_key();

CREATE TABLE hedge_fills (
    id uuid
        CONSTRAINT hedge_fills_pkey PRIMARY KEY,
    hedge_id uuid
        CONSTRAINT hedge_fills_hedge_id_present NOT NULL
        CONSTRAINT hedge_fills_hedge_exists REFERENCES hedges (id) ON DELETE RESTRICT,
    symbol text
        CONSTRAINT hedge_fills_symbol_present NOT NULL,
    seq integer
        CONSTRAINT hedge_fills_seq_present NOT NULL
        CONSTRAINT hedge_fills_seq_positive CHECK (seq > 0),
    provider_id uuid
        CONSTRAINT hedge_fills_provider_id_present NOT NULL
        CONSTRAINT hedge_fills_provider_exists REFERENCES liquidity_providers (id) ON DELETE RESTRICT,
    provider_execution_id text
        CONSTRAINT hedge_fills_provider_execution_id_present NOT NULL,
    quantity numeric(20, 8)
        CONSTRAINT hedge_fills_quantity_present NOT NULL
        CONSTRAINT hedge_fills_quantity_not_zero CHECK (quantity <> 0 AND quantity > '-Infinity' AND quantity < 'Infinity'),
    price numeric(20, 8)
        CONSTRAINT hedge_fills_price_present NOT NULL
        CONSTRAINT hedge_fills_price_positive CHECK (price > 0 AND price < 'Infinity'),
    realised_pnl numeric(20, 8)
        CONSTRAINT hedge_fills_realised_pnl_present NOT NULL
        CONSTRAINT hedge_fills_realised_pnl_finite CHECK (realised_pnl > '-Infinity' AND realised_pnl < 'Infinity'),
    position_quantity numeric(20, 8)
        CONSTRAINT hedge_fills_position_quantity_present NOT NULL
        CONSTRAINT hedge_fills_position_quantity_finite CHECK (position_quantity > '-Infinity' AND position_quantity < 'Infinity'),
    position_average_price numeric(20, 8)
        CONSTRAINT hedge_fills_position_average_price_present NOT NULL
        CONSTRAINT hedge_fills_position_average_price_positive CHECK (position_average_price > 0 AND position_average_price < 'Infinity'),
    executed_at timestamptz
        CONSTRAINT hedge_fills_executed_at_present NOT NULL,
    CONSTRAINT hedge_fills_symbol_seq_unique UNIQUE (symbol, seq),
    CONSTRAINT hedge_fills_execution_once UNIQUE (provider_id, provider_execution_id)
);
COMMENT ON TABLE hedge_fills IS 'Executions of hedges, numbered by symbol, each with what it made of the house''s position with the providers. Append-only.';
COMMENT ON COLUMN hedge_fills.quantity IS 'Signed, in units of the base currency: a buy is above zero.';
COMMENT ON COLUMN hedge_fills.realised_pnl IS 'Result of what the fill closed, in the quote currency and rounded half to even to its minor unit; equals the ledger''s transfer.';
COMMENT ON COLUMN hedge_fills.position_quantity IS 'Net of all hedges in the symbol after this fill.';
COMMENT ON COLUMN hedge_fills.executed_at IS 'Market time at which the provider decided.';
CREATE INDEX idx_hedge_fills_hedge_id
    ON hedge_fills (hedge_id);
CREATE TRIGGER hedge_fills_are_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON hedge_fills
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TABLE provider_requests (
    id uuid
        CONSTRAINT provider_requests_pkey PRIMARY KEY,
    request_id text
        CONSTRAINT provider_requests_request_id_present NOT NULL
        CONSTRAINT provider_requests_request_id_once UNIQUE,
    order_id uuid
        CONSTRAINT provider_requests_order_exists REFERENCES orders (id) ON DELETE RESTRICT,
    hedge_id uuid
        CONSTRAINT provider_requests_hedge_exists REFERENCES hedges (id) ON DELETE RESTRICT,
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
    filled_quantity numeric(20, 8)
        CONSTRAINT provider_requests_filled_quantity_present NOT NULL
        CONSTRAINT provider_requests_filled_quantity_not_negative CHECK (filled_quantity >= 0 AND filled_quantity < 'Infinity'),
    reason text,
    hold_ms integer
        CONSTRAINT provider_requests_hold_ms_present NOT NULL
        CONSTRAINT provider_requests_hold_ms_not_negative CHECK (hold_ms >= 0),
    requested_at timestamptz
        CONSTRAINT provider_requests_requested_at_present NOT NULL,
    decided_at timestamptz
        CONSTRAINT provider_requests_decided_at_present NOT NULL
        CONSTRAINT provider_requests_decided_after_requested CHECK (decided_at >= requested_at),
    CONSTRAINT provider_requests_is_for_an_order_or_a_hedge CHECK (num_nonnulls(order_id, hedge_id) = 1),
    CONSTRAINT provider_requests_accepted_iff_filled CHECK (is_accepted = (filled_quantity > 0)),
    CONSTRAINT provider_requests_rejection_has_reason CHECK (is_accepted = (reason IS NULL))
);
COMMENT ON TABLE provider_requests IS 'Each request to a provider and its answer after the last-look hold (FX Global Code, principle 17). Append-only.';
COMMENT ON COLUMN provider_requests.request_id IS 'FIX ClOrdID (11) under which the provider knows the request; each is recorded once, with its last word.';
COMMENT ON COLUMN provider_requests.price IS 'Limit of the request; empty when it asked for whatever price the provider had.';
COMMENT ON COLUMN provider_requests.filled_quantity IS 'FIX CumQty (14): what the provider said in the end that it had dealt of it.';
COMMENT ON COLUMN provider_requests.requested_at IS 'Market time at which the request was sent.';
COMMENT ON COLUMN provider_requests.decided_at IS 'Market time at which the provider decided.';
CREATE INDEX idx_provider_requests_order_id
    ON provider_requests (order_id);
CREATE INDEX idx_provider_requests_hedge_id
    ON provider_requests (hedge_id)
    WHERE hedge_id IS NOT NULL;
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
        CONSTRAINT unsolicited_fills_reason_known CHECK (reason IN ('order_unknown', 'order_ended', 'more_than_asked', 'beyond_limit', 'contradicts_request')),
    executed_at timestamptz
        CONSTRAINT unsolicited_fills_executed_at_present NOT NULL,
    received_at timestamptz DEFAULT clock_timestamp()
        CONSTRAINT unsolicited_fills_received_at_present NOT NULL,
    CONSTRAINT unsolicited_fills_execution_once UNIQUE (provider_id, provider_execution_id)
);
COMMENT ON TABLE unsolicited_fills IS 'Executions that a provider reported and that fit no order of ours: set aside for people to decide about, never dropped. Append-only.';
COMMENT ON COLUMN unsolicited_fills.provider_execution_id IS 'FIX ExecID (17), as execution_name gives it; an execution is booked or set aside once.';
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

CREATE TABLE provider_corrections (
    id uuid DEFAULT uuidv7()
        CONSTRAINT provider_corrections_pkey PRIMARY KEY,
    provider_id uuid
        CONSTRAINT provider_corrections_provider_id_present NOT NULL
        CONSTRAINT provider_corrections_provider_exists REFERENCES liquidity_providers (id) ON DELETE RESTRICT,
    kind text
        CONSTRAINT provider_corrections_kind_present NOT NULL
        CONSTRAINT provider_corrections_kind_known CHECK (kind IN ('bust', 'correction')),
    execution_id text
        CONSTRAINT provider_corrections_execution_id_present NOT NULL,
    refers_to text,
    request_id text,
    symbol text,
    quantity numeric(20, 8)
        CONSTRAINT provider_corrections_quantity_positive CHECK (quantity > 0 AND quantity < 'Infinity'),
    price numeric(20, 8)
        CONSTRAINT provider_corrections_price_positive CHECK (price > 0 AND price < 'Infinity'),
    told_at timestamptz,
    received_at timestamptz DEFAULT clock_timestamp()
        CONSTRAINT provider_corrections_received_at_present NOT NULL,
    CONSTRAINT provider_corrections_told_once UNIQUE (provider_id, execution_id)
);
COMMENT ON TABLE provider_corrections IS 'Executions that a provider took back (FIX ExecType H) or corrected (G): they wait for people, and reverse nothing by themselves. Append-only.';
COMMENT ON COLUMN provider_corrections.execution_id IS 'ExecID (17) of the bust or correction, as execution_name gives it; where it has none, its kind and what it refers to.';
COMMENT ON COLUMN provider_corrections.refers_to IS 'ExecRefID (19): the execution that it is about, as execution_name gives it.';
COMMENT ON COLUMN provider_corrections.request_id IS 'FIX ClOrdID (11) as the provider gave it.';
COMMENT ON COLUMN provider_corrections.symbol IS 'As the provider named it; it may be none of our instruments.';
COMMENT ON COLUMN provider_corrections.quantity IS 'LastQty (32) as told: of a correction what is right, of a bust what is taken back.';
COMMENT ON COLUMN provider_corrections.price IS 'LastPx (31) as told, in the same sense.';
CREATE INDEX idx_provider_corrections_provider_id_refers_to
    ON provider_corrections (provider_id, refers_to);
CREATE TRIGGER provider_corrections_are_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON provider_corrections
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- FIX promises that an ExecID is unique for a trading day or the life of an order, no longer: some begin
-- anew each morning. It names an execution together with its order; the first to bear it keeps it plain,
-- so that everything that knows an execution by its name finds one.
CREATE FUNCTION execution_name(p_provider_id uuid, p_execution_id text, p_request_id text) RETURNS text
LANGUAGE sql STABLE SET search_path FROM CURRENT AS $$
    SELECT CASE
        WHEN bool_or(n.owner IS DISTINCT FROM left(p_request_id, 36))
            AND NOT bool_or(n.owner IS NOT DISTINCT FROM left(p_request_id, 36))
            THEN p_execution_id || '@' || p_request_id
        ELSE p_execution_id
    END
    FROM (
        SELECT f.order_id::text AS owner
        FROM order_fills AS f
        WHERE f.provider_id = p_provider_id AND f.provider_execution_id = p_execution_id
        UNION ALL
        SELECT h.hedge_id::text
        FROM hedge_fills AS h
        WHERE h.provider_id = p_provider_id AND h.provider_execution_id = p_execution_id
        UNION ALL
        SELECT left(u.request_id, 36)
        FROM unsolicited_fills AS u
        WHERE u.provider_id = p_provider_id AND u.provider_execution_id = p_execution_id
        UNION ALL
        SELECT left(c.request_id, 36)
        FROM provider_corrections AS c
        WHERE c.provider_id = p_provider_id AND c.execution_id = p_execution_id
    ) AS n
    WHERE p_request_id IS NOT NULL
$$;
COMMENT ON FUNCTION execution_name(uuid, text, text) IS 'What we call an execution or correction that a provider names by its ExecID: that, or with its request behind it where the ExecID is another order''s already.';

-- Busts, corrections and lists of trades may be about an execution by another request than its own:
-- then nobody can tell which of two is meant, and it is the first.
CREATE FUNCTION referred_execution(p_provider_id uuid, p_execution_id text, p_request_id text) RETURNS text
LANGUAGE plpgsql STABLE SET search_path FROM CURRENT AS $$
DECLARE
    v_name text := execution_name(p_provider_id, p_execution_id, p_request_id);
    v_id uuid;
BEGIN
    IF v_name = p_execution_id THEN
        RETURN v_name;
    ELSIF pg_input_is_valid(left(p_request_id, 36), 'uuid') THEN
        v_id := left(p_request_id, 36);
        IF EXISTS (SELECT FROM orders AS o WHERE o.id = v_id) OR EXISTS (SELECT FROM hedges AS h WHERE h.id = v_id) THEN
            RETURN v_name;
        END IF;
    END IF;
    RETURN coalesce(
        (
            SELECT u.provider_execution_id
            FROM unsolicited_fills AS u
            WHERE u.provider_id = p_provider_id AND u.provider_execution_id = v_name
        ),
        p_execution_id
    );
END;
$$;
COMMENT ON FUNCTION referred_execution(uuid, text, text) IS 'What we call an execution that a provider refers to by its ExecID, with the request that it names beside it.';

-- A bust or a correction may refer to a correction before it, which has an ExecID of its own.
CREATE FUNCTION first_execution(p_provider_id uuid, p_execution_id text) RETURNS text
LANGUAGE sql STABLE SET search_path FROM CURRENT AS $$
    WITH RECURSIVE chain (execution_id) AS (
        SELECT p_execution_id
        UNION
        SELECT c.refers_to
        FROM chain AS n
        JOIN provider_corrections AS c
            ON c.provider_id = p_provider_id AND c.execution_id = n.execution_id AND c.refers_to <> c.execution_id
    )
    SELECT n.execution_id
    FROM chain AS n
    WHERE NOT EXISTS (
        SELECT
        FROM provider_corrections AS c
        WHERE c.provider_id = p_provider_id AND c.execution_id = n.execution_id AND c.refers_to <> c.execution_id
    )
$$;
COMMENT ON FUNCTION first_execution(uuid, text) IS 'The execution that a chain of ExecRefID (19) leads to, from a correction''s ExecID or from its own; none if the chain is a circle.';

CREATE TABLE provider_correction_settlements (
    correction_id uuid
        CONSTRAINT provider_correction_settlements_pkey PRIMARY KEY
        CONSTRAINT provider_correction_settlements_correction_exists
        REFERENCES provider_corrections (id) ON DELETE RESTRICT,
    settlement text
        CONSTRAINT provider_correction_settlements_settlement_present NOT NULL
        CONSTRAINT provider_correction_settlements_settlement_known CHECK (settlement IN ('kept', 'traded_out', 'undone', 'adjusted', 'reversed')),
    actor text
        CONSTRAINT provider_correction_settlements_actor_present NOT NULL
        CONSTRAINT provider_correction_settlements_actor_not_empty CHECK (actor <> ''),
    reason text
        CONSTRAINT provider_correction_settlements_reason_present NOT NULL
        CONSTRAINT provider_correction_settlements_reason_not_empty CHECK (reason <> ''),
    approved_by text
        CONSTRAINT provider_correction_settlements_approved_by_another CHECK (approved_by <> '' AND approved_by <> actor),
    settled_at timestamptz DEFAULT clock_timestamp()
        CONSTRAINT provider_correction_settlements_settled_at_present NOT NULL,
    CONSTRAINT provider_correction_settlements_money_is_approved CHECK ((settlement IN ('adjusted', 'reversed')) = (approved_by IS NOT NULL))
);
COMMENT ON TABLE provider_correction_settlements IS 'What was decided about a bust or a correction: once, by whom and why. Append-only.';
COMMENT ON COLUMN provider_correction_settlements.settlement IS 'kept: our fill stands, and the house bears the difference; traded_out: the house has dealt anew with a provider; undone: people have undone it with the client; adjusted: the client was given or charged the difference of the prices; reversed: what was still open of a busted fill was taken back.';
COMMENT ON COLUMN provider_correction_settlements.approved_by IS 'Four eyes: who else has agreed where money of the client moves.';
CREATE TRIGGER provider_correction_settlements_are_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON provider_correction_settlements
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TABLE trade_adjustments (
    trade_id uuid
        CONSTRAINT trade_adjustments_trade_exists REFERENCES trades (id) ON DELETE RESTRICT,
    correction_id uuid
        CONSTRAINT trade_adjustments_settlement_exists
        REFERENCES provider_correction_settlements (correction_id) ON DELETE RESTRICT,
    id uuid
        CONSTRAINT trade_adjustments_id_present NOT NULL
        CONSTRAINT trade_adjustments_id_unique UNIQUE,
    price_before numeric(20, 8)
        CONSTRAINT trade_adjustments_price_before_present NOT NULL
        CONSTRAINT trade_adjustments_price_before_positive CHECK (price_before > 0 AND price_before < 'Infinity'),
    price numeric(20, 8)
        CONSTRAINT trade_adjustments_price_present NOT NULL
        CONSTRAINT trade_adjustments_price_positive CHECK (price > 0 AND price < 'Infinity'),
    amount numeric(20, 8)
        CONSTRAINT trade_adjustments_amount_present NOT NULL
        CONSTRAINT trade_adjustments_amount_finite CHECK (amount > '-Infinity' AND amount < 'Infinity'),
    booked_at timestamptz DEFAULT clock_timestamp()
        CONSTRAINT trade_adjustments_booked_at_present NOT NULL,
    CONSTRAINT trade_adjustments_pkey PRIMARY KEY (trade_id, correction_id)
);
COMMENT ON TABLE trade_adjustments IS 'What a client was given or charged when a provider corrected the price of a trade; the trade stays as it is. Append-only.';
COMMENT ON COLUMN trade_adjustments.id IS 'Transaction of the ledger''s entry.';
COMMENT ON COLUMN trade_adjustments.price_before IS 'What the trade stood at: its own price, or that of the correction before.';
COMMENT ON COLUMN trade_adjustments.price IS 'What it stands at now.';
COMMENT ON COLUMN trade_adjustments.amount IS 'In the account''s currency, below zero when charged: the difference of the prices times the trade''s signed quantity and rate, rounded once.';
CREATE INDEX idx_trade_adjustments_correction_id
    ON trade_adjustments (correction_id);
CREATE TRIGGER trade_adjustments_are_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON trade_adjustments
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TABLE trade_reversals (
    trade_id uuid
        CONSTRAINT trade_reversals_pkey PRIMARY KEY
        CONSTRAINT trade_reversals_trade_exists REFERENCES trades (id) ON DELETE RESTRICT,
    correction_id uuid
        CONSTRAINT trade_reversals_correction_id_present NOT NULL
        CONSTRAINT trade_reversals_settlement_exists
        REFERENCES provider_correction_settlements (correction_id) ON DELETE RESTRICT,
    reversing_id uuid
        CONSTRAINT trade_reversals_reversing_id_present NOT NULL
        CONSTRAINT trade_reversals_reversing_id_unique UNIQUE
        CONSTRAINT trade_reversals_reversing_trade_exists REFERENCES trades (id) ON DELETE RESTRICT
        CONSTRAINT trade_reversals_by_another_trade CHECK (reversing_id <> trade_id),
    commission numeric(20, 8)
        CONSTRAINT trade_reversals_commission_present NOT NULL
        CONSTRAINT trade_reversals_commission_not_negative CHECK (commission >= 0 AND commission < 'Infinity'),
    adjustment numeric(20, 8)
        CONSTRAINT trade_reversals_adjustment_present NOT NULL
        CONSTRAINT trade_reversals_adjustment_finite CHECK (adjustment > '-Infinity' AND adjustment < 'Infinity')
);
COMMENT ON TABLE trade_reversals IS 'Trades of busted fills of which what was still open was taken back, each once: by an opposite trade at the same price, without a result. Append-only.';
COMMENT ON COLUMN trade_reversals.reversing_id IS 'The opposite trade, and transaction of the ledger''s entries; swaps that are given back are rows of position_rollovers that name it.';
COMMENT ON COLUMN trade_reversals.commission IS 'What of the trade''s commission was given back, in proportion.';
COMMENT ON COLUMN trade_reversals.adjustment IS 'What was given, or below zero charged, to take back in proportion how the trade was adjusted to a corrected price.';
CREATE INDEX idx_trade_reversals_correction_id
    ON trade_reversals (correction_id);
CREATE TRIGGER trade_reversals_are_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON trade_reversals
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TABLE last_prices (
    symbol text
        CONSTRAINT last_prices_pkey PRIMARY KEY
        CONSTRAINT last_prices_instrument_exists REFERENCES instruments (symbol) ON DELETE RESTRICT,
    bid numeric(20, 8)
        CONSTRAINT last_prices_bid_present NOT NULL
        CONSTRAINT last_prices_bid_positive CHECK (bid > 0 AND bid < 'Infinity'),
    ask numeric(20, 8)
        CONSTRAINT last_prices_ask_present NOT NULL
        CONSTRAINT last_prices_ask_positive CHECK (ask > 0 AND ask < 'Infinity'),
    quoted_at timestamptz
        CONSTRAINT last_prices_quoted_at_present NOT NULL,
    updated_at timestamptz DEFAULT clock_timestamp()
        CONSTRAINT last_prices_updated_at_present NOT NULL,
    CONSTRAINT last_prices_not_crossed CHECK (ask >= bid)
);
COMMENT ON TABLE last_prices IS 'The best bid and ask of each instrument as an engine knew them last: by these an engine that starts while its market is closed values what is held.';
COMMENT ON COLUMN last_prices.quoted_at IS 'Market time of the older of the two quotes; a newer price takes the place of an older one, never the reverse.';
CREATE TRIGGER last_prices_are_kept
    BEFORE DELETE OR TRUNCATE ON last_prices
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Which book: for accounts whose book is hybrid, each order is given to the house (B), to the
-- providers (A), or to both. What decides is kept in these four tables; what was decided, with all
-- that it was decided on, in routing_decisions.

CREATE TABLE routing_policies (
    id uuid DEFAULT uuidv7()
        CONSTRAINT routing_policies_pkey PRIMARY KEY,
    symbol text
        CONSTRAINT routing_policies_symbol_present NOT NULL
        CONSTRAINT routing_policies_one_per_symbol UNIQUE
        CONSTRAINT routing_policies_instrument_exists REFERENCES instruments (symbol) ON DELETE RESTRICT,
    default_percent smallint
        CONSTRAINT routing_policies_default_percent_present NOT NULL
        CONSTRAINT routing_policies_default_percent_in_range CHECK (default_percent BETWEEN 0 AND 100),
    toxicity_from numeric(12, 4)
        CONSTRAINT routing_policies_toxicity_from_not_negative CHECK (toxicity_from >= 0 AND toxicity_from < 'Infinity'),
    toxicity_full numeric(12, 4)
        CONSTRAINT routing_policies_toxicity_rises CHECK (toxicity_full > toxicity_from AND toxicity_full < 'Infinity'),
    short_hold_bps numeric(12, 4) DEFAULT 1
        CONSTRAINT routing_policies_short_hold_bps_present NOT NULL
        CONSTRAINT routing_policies_short_hold_bps_not_negative CHECK (short_hold_bps >= 0 AND short_hold_bps < 'Infinity'),
    win_bps numeric(12, 4) DEFAULT 1
        CONSTRAINT routing_policies_win_bps_present NOT NULL
        CONSTRAINT routing_policies_win_bps_not_negative CHECK (win_bps >= 0 AND win_bps < 'Infinity'),
    reject_prone_bps numeric(12, 4) DEFAULT 1
        CONSTRAINT routing_policies_reject_prone_bps_present NOT NULL
        CONSTRAINT routing_policies_reject_prone_bps_not_negative CHECK (reject_prone_bps >= 0 AND reject_prone_bps < 'Infinity'),
    size_from numeric(20, 8)
        CONSTRAINT routing_policies_size_from_not_negative CHECK (size_from >= 0 AND size_from < 'Infinity'),
    size_full numeric(20, 8)
        CONSTRAINT routing_policies_size_rises CHECK (size_full > size_from AND size_full < 'Infinity'),
    exposure_from numeric(20, 8)
        CONSTRAINT routing_policies_exposure_from_not_negative CHECK (exposure_from >= 0 AND exposure_from < 'Infinity'),
    exposure_full numeric(20, 8)
        CONSTRAINT routing_policies_exposure_rises CHECK (exposure_full > exposure_from AND exposure_full < 'Infinity'),
    volatility_from numeric(12, 4)
        CONSTRAINT routing_policies_volatility_from_not_negative CHECK (volatility_from >= 0 AND volatility_from < 'Infinity'),
    volatility_full numeric(12, 4)
        CONSTRAINT routing_policies_volatility_rises CHECK (volatility_full > volatility_from AND volatility_full < 'Infinity'),
    exposure_limit numeric(20, 8)
        CONSTRAINT routing_policies_exposure_limit_positive CHECK (exposure_limit > 0 AND exposure_limit < 'Infinity'),
    hedge_target numeric(20, 8)
        CONSTRAINT routing_policies_hedge_target_below_limit CHECK (hedge_target >= 0 AND hedge_target < exposure_limit),
    revision integer DEFAULT 1
        CONSTRAINT routing_policies_revision_present NOT NULL
        CONSTRAINT routing_policies_revision_positive CHECK (revision > 0),
    created_at timestamptz DEFAULT clock_timestamp()
        CONSTRAINT routing_policies_created_at_present NOT NULL,
    updated_at timestamptz DEFAULT clock_timestamp()
        CONSTRAINT routing_policies_updated_at_present NOT NULL,
    CONSTRAINT routing_policies_hedge_target_has_its_limit CHECK (hedge_target IS NULL OR exposure_limit IS NOT NULL),
    CONSTRAINT routing_policies_toxicity_has_both_ends CHECK ((toxicity_from IS NULL) = (toxicity_full IS NULL)),
    CONSTRAINT routing_policies_size_has_both_ends CHECK ((size_from IS NULL) = (size_full IS NULL)),
    CONSTRAINT routing_policies_exposure_has_both_ends CHECK ((exposure_from IS NULL) = (exposure_full IS NULL)),
    CONSTRAINT routing_policies_volatility_has_both_ends CHECK ((volatility_from IS NULL) = (volatility_full IS NULL))
);
COMMENT ON TABLE routing_policies IS 'What share of hybrid orders in a symbol is passed on to providers: each measure asks for 0 % up to its first value and for 100 % from its second, in a straight line between.';
COMMENT ON COLUMN routing_policies.default_percent IS 'Share that is passed on when no measure asks for more.';
COMMENT ON COLUMN routing_policies.toxicity_from IS 'Basis points that a client''s fills gain soon after dealing, on average (markout), and what the three weights add to them.';
COMMENT ON COLUMN routing_policies.short_hold_bps IS 'Added to the toxicity of a client who closes everything within a minute; in proportion to the share of closing trades.';
COMMENT ON COLUMN routing_policies.win_bps IS 'Added to the toxicity of a client whose every closing trade wins; in proportion to what the share of those is above one half.';
COMMENT ON COLUMN routing_policies.reject_prone_bps IS 'Added to the toxicity of a client whose every order comes when providers reject; in proportion to the share of orders.';
COMMENT ON COLUMN routing_policies.size_from IS 'Quantity of the order, in units of the base currency.';
COMMENT ON COLUMN routing_policies.exposure_from IS 'Size of the house''s net exposure if it dealt the whole order itself, in units of the base currency.';
COMMENT ON COLUMN routing_policies.volatility_from IS 'Range of the mid price over the last minute, in basis points.';
COMMENT ON COLUMN routing_policies.exposure_limit IS 'What would lift the house''s net exposure above this is passed on whole, whatever the shares say; above it the house hedges.';
COMMENT ON COLUMN routing_policies.hedge_target IS 'Once the exposure is above its limit, it is hedged down to this; empty where nothing is hedged.';

CREATE TABLE routing_rules (
    id uuid DEFAULT uuidv7()
        CONSTRAINT routing_rules_pkey PRIMARY KEY,
    priority integer
        CONSTRAINT routing_rules_priority_present NOT NULL,
    symbol text
        CONSTRAINT routing_rules_instrument_exists REFERENCES instruments (symbol) ON DELETE RESTRICT,
    user_id uuid
        CONSTRAINT routing_rules_user_exists REFERENCES users (id) ON DELETE RESTRICT,
    client_class text
        CONSTRAINT routing_rules_client_class_known CHECK (client_class IN ('retail', 'professional')),
    quantity_min numeric(20, 8)
        CONSTRAINT routing_rules_quantity_min_positive CHECK (quantity_min > 0 AND quantity_min < 'Infinity'),
    quantity_max numeric(20, 8)
        CONSTRAINT routing_rules_quantity_max_positive CHECK (quantity_max > 0 AND quantity_max < 'Infinity'),
    a_percent smallint
        CONSTRAINT routing_rules_a_percent_present NOT NULL
        CONSTRAINT routing_rules_a_percent_in_range CHECK (a_percent BETWEEN 0 AND 100),
    is_enabled boolean DEFAULT true
        CONSTRAINT routing_rules_is_enabled_present NOT NULL,
    revision integer DEFAULT 1
        CONSTRAINT routing_rules_revision_present NOT NULL
        CONSTRAINT routing_rules_revision_positive CHECK (revision > 0),
    created_at timestamptz DEFAULT clock_timestamp()
        CONSTRAINT routing_rules_created_at_present NOT NULL,
    updated_at timestamptz DEFAULT clock_timestamp()
        CONSTRAINT routing_rules_updated_at_present NOT NULL,
    CONSTRAINT routing_rules_quantities_in_order CHECK (quantity_max >= quantity_min)
);
COMMENT ON TABLE routing_rules IS 'What the dealers have laid down: hybrid orders that match are passed on by this share. The highest priority wins, then the older rule; an empty condition matches all.';
COMMENT ON COLUMN routing_rules.revision IS 'Counts the audited changes of the rule; a decision keeps the one that it was made by.';
CREATE INDEX idx_routing_rules_symbol
    ON routing_rules (symbol);
CREATE INDEX idx_routing_rules_user_id
    ON routing_rules (user_id);

CREATE TABLE routing_overrides (
    id uuid DEFAULT uuidv7()
        CONSTRAINT routing_overrides_pkey PRIMARY KEY,
    kind text
        CONSTRAINT routing_overrides_kind_present NOT NULL
        CONSTRAINT routing_overrides_kind_known CHECK (kind IN ('halt', 'manual')),
    symbol text
        CONSTRAINT routing_overrides_instrument_exists REFERENCES instruments (symbol) ON DELETE RESTRICT,
    user_id uuid
        CONSTRAINT routing_overrides_user_exists REFERENCES users (id) ON DELETE RESTRICT,
    a_percent smallint
        CONSTRAINT routing_overrides_a_percent_present NOT NULL
        CONSTRAINT routing_overrides_a_percent_in_range CHECK (a_percent BETWEEN 0 AND 100),
    actor text
        CONSTRAINT routing_overrides_actor_present NOT NULL
        CONSTRAINT routing_overrides_actor_not_empty CHECK (actor <> ''),
    reason text
        CONSTRAINT routing_overrides_reason_present NOT NULL
        CONSTRAINT routing_overrides_reason_not_empty CHECK (reason <> ''),
    lifted_at timestamptz,
    revision integer DEFAULT 1
        CONSTRAINT routing_overrides_revision_present NOT NULL
        CONSTRAINT routing_overrides_revision_positive CHECK (revision > 0),
    created_at timestamptz DEFAULT clock_timestamp()
        CONSTRAINT routing_overrides_created_at_present NOT NULL,
    updated_at timestamptz DEFAULT clock_timestamp()
        CONSTRAINT routing_overrides_updated_at_present NOT NULL,
    CONSTRAINT routing_overrides_halt_passes_all_on CHECK (kind <> 'halt' OR a_percent = 100)
);
COMMENT ON TABLE routing_overrides IS 'What a dealer has ordered for now, by name and with a reason: halt stops the house from dealing hybrid orders itself, manual sets their share. An empty symbol or user means all.';
CREATE INDEX idx_routing_overrides_symbol
    ON routing_overrides (symbol);
CREATE INDEX idx_routing_overrides_user_id
    ON routing_overrides (user_id);
-- One word at a time about the same orders.
CREATE UNIQUE INDEX idx_routing_overrides_kind_symbol_user_id_open
    ON routing_overrides (kind, symbol, user_id) NULLS NOT DISTINCT
    WHERE lifted_at IS NULL;

CREATE TRIGGER routing_policies_count_revision
    BEFORE UPDATE ON routing_policies
    FOR EACH ROW EXECUTE FUNCTION count_revision();
CREATE TRIGGER routing_policies_are_audited
    AFTER INSERT OR UPDATE OR DELETE ON routing_policies
    FOR EACH ROW EXECUTE FUNCTION audit_row_change();
ALTER TABLE routing_policies ENABLE ALWAYS TRIGGER routing_policies_are_audited;
CREATE TRIGGER routing_rules_count_revision
    BEFORE UPDATE ON routing_rules
    FOR EACH ROW EXECUTE FUNCTION count_revision();
CREATE TRIGGER routing_rules_are_audited
    AFTER INSERT OR UPDATE OR DELETE ON routing_rules
    FOR EACH ROW EXECUTE FUNCTION audit_row_change();
ALTER TABLE routing_rules ENABLE ALWAYS TRIGGER routing_rules_are_audited;
CREATE TRIGGER routing_rules_are_kept
    BEFORE DELETE OR TRUNCATE ON routing_rules
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER routing_overrides_count_revision
    BEFORE UPDATE ON routing_overrides
    FOR EACH ROW EXECUTE FUNCTION count_revision();
CREATE TRIGGER routing_overrides_are_audited
    AFTER INSERT OR UPDATE OR DELETE ON routing_overrides
    FOR EACH ROW EXECUTE FUNCTION audit_row_change();
ALTER TABLE routing_overrides ENABLE ALWAYS TRIGGER routing_overrides_are_audited;
CREATE TRIGGER routing_overrides_are_kept
    BEFORE DELETE OR TRUNCATE ON routing_overrides
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TABLE routing_rankings (
    id uuid
        CONSTRAINT routing_rankings_pkey PRIMARY KEY,
    order_id uuid
        CONSTRAINT routing_rankings_order_exists REFERENCES orders (id) ON DELETE RESTRICT,
    hedge_id uuid
        CONSTRAINT routing_rankings_hedge_exists REFERENCES hedges (id) ON DELETE RESTRICT,
    candidates jsonb
        CONSTRAINT routing_rankings_candidates_present NOT NULL
        CONSTRAINT routing_rankings_candidates_is_array CHECK (jsonb_typeof(candidates) = 'array'),
    ranked_at timestamptz
        CONSTRAINT routing_rankings_ranked_at_present NOT NULL,
    CONSTRAINT routing_rankings_is_of_an_order_or_a_hedge CHECK (num_nonnulls(order_id, hedge_id) = 1)
);
COMMENT ON TABLE routing_rankings IS 'Every level that an order or hedge could be passed on to, with its score, when it was decided. Append-only.';
COMMENT ON COLUMN routing_rankings.candidates IS 'Levels in the order in which they are asked, each with the parts of its score in basis points.';
COMMENT ON COLUMN routing_rankings.ranked_at IS 'Market time.';
CREATE INDEX idx_routing_rankings_order_id
    ON routing_rankings (order_id)
    WHERE order_id IS NOT NULL;
CREATE INDEX idx_routing_rankings_hedge_id
    ON routing_rankings (hedge_id)
    WHERE hedge_id IS NOT NULL;
CREATE TRIGGER routing_rankings_are_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON routing_rankings
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TABLE client_profiles (
    user_id uuid
        CONSTRAINT client_profiles_pkey PRIMARY KEY
        CONSTRAINT client_profiles_user_exists REFERENCES users (id) ON DELETE RESTRICT,
    trade_count integer DEFAULT 0
        CONSTRAINT client_profiles_trade_count_present NOT NULL
        CONSTRAINT client_profiles_trade_count_not_negative CHECK (trade_count >= 0),
    markout_1s_bps numeric(12, 4) DEFAULT 0
        CONSTRAINT client_profiles_markout_1s_bps_present NOT NULL
        CONSTRAINT client_profiles_markout_1s_bps_in_range CHECK (markout_1s_bps BETWEEN -1000 AND 1000),
    markout_10s_bps numeric(12, 4) DEFAULT 0
        CONSTRAINT client_profiles_markout_10s_bps_present NOT NULL
        CONSTRAINT client_profiles_markout_10s_bps_in_range CHECK (markout_10s_bps BETWEEN -1000 AND 1000),
    markout_60s_bps numeric(12, 4) DEFAULT 0
        CONSTRAINT client_profiles_markout_60s_bps_present NOT NULL
        CONSTRAINT client_profiles_markout_60s_bps_in_range CHECK (markout_60s_bps BETWEEN -1000 AND 1000),
    closing_count integer DEFAULT 0
        CONSTRAINT client_profiles_closing_count_present NOT NULL
        CONSTRAINT client_profiles_closing_count_not_negative CHECK (closing_count >= 0),
    short_hold_share numeric(9, 8) DEFAULT 0
        CONSTRAINT client_profiles_short_hold_share_present NOT NULL
        CONSTRAINT client_profiles_short_hold_share_in_range CHECK (short_hold_share BETWEEN 0 AND 1),
    win_share numeric(9, 8) DEFAULT 0
        CONSTRAINT client_profiles_win_share_present NOT NULL
        CONSTRAINT client_profiles_win_share_in_range CHECK (win_share BETWEEN 0 AND 1),
    arrival_count integer DEFAULT 0
        CONSTRAINT client_profiles_arrival_count_present NOT NULL
        CONSTRAINT client_profiles_arrival_count_not_negative CHECK (arrival_count >= 0),
    reject_prone_share numeric(9, 8) DEFAULT 0
        CONSTRAINT client_profiles_reject_prone_share_present NOT NULL
        CONSTRAINT client_profiles_reject_prone_share_in_range CHECK (reject_prone_share BETWEEN 0 AND 1),
    updated_at timestamptz DEFAULT clock_timestamp()
        CONSTRAINT client_profiles_updated_at_present NOT NULL
);
COMMENT ON TABLE client_profiles IS 'What the house has measured of a client whose orders it may divide: how the market moved after the fills, how long positions were held, how many closing trades won, and how many orders came when providers rejected.';
COMMENT ON COLUMN client_profiles.trade_count IS 'Fills measured at all three horizons; with fewer than 50 nothing is concluded.';
COMMENT ON COLUMN client_profiles.markout_1s_bps IS 'Mean gain of the client against the middle one second after a fill, in basis points; older fills fade.';
COMMENT ON COLUMN client_profiles.closing_count IS 'Closing trades measured; with fewer than 50 nothing is concluded from their shares.';
COMMENT ON COLUMN client_profiles.short_hold_share IS 'Share of closing trades whose position was opened less than 60 seconds of market time before; older trades fade.';
COMMENT ON COLUMN client_profiles.win_share IS 'Share of closing trades with a result above zero; older trades fade.';
COMMENT ON COLUMN client_profiles.arrival_count IS 'Orders measured when they came to be dealt; with fewer than 50 nothing is concluded from their share.';
COMMENT ON COLUMN client_profiles.reject_prone_share IS 'Share of orders within a second of market time of a provider''s rejection in their symbol; older orders fade.';
CREATE TRIGGER client_profiles_are_kept
    BEFORE DELETE OR TRUNCATE ON client_profiles
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER client_profiles_keep_their_key
    BEFORE UPDATE OF user_id ON client_profiles
    FOR EACH ROW WHEN (OLD.user_id IS DISTINCT FROM NEW.user_id)
    EXECUTE FUNCTION refuse_new_key();

-- Every input of a client's toxicity: a profile keeps means, and what they are means of stands here. Written with the
-- profile, after the dealing, by the batch that counts a hundred of them, and pruned after five years.
CREATE TABLE client_measures (
    user_id uuid
        CONSTRAINT client_measures_user_present NOT NULL
        CONSTRAINT client_measures_user_has_profile REFERENCES client_profiles (user_id) ON DELETE RESTRICT,
    kind text
        CONSTRAINT client_measures_kind_present NOT NULL
        CONSTRAINT client_measures_kind_known CHECK (kind IN ('fill', 'closing', 'arrival')),
    number integer
        CONSTRAINT client_measures_number_present NOT NULL
        CONSTRAINT client_measures_number_positive CHECK (number > 0),
    order_id uuid
        CONSTRAINT client_measures_order_exists REFERENCES orders (id) ON DELETE RESTRICT,
    fill_id uuid
        CONSTRAINT client_measures_fill_exists REFERENCES order_fills (id) ON DELETE RESTRICT,
    trade_id uuid
        CONSTRAINT client_measures_trade_exists REFERENCES trades (id) ON DELETE RESTRICT,
    measured_at timestamptz
        CONSTRAINT client_measures_measured_at_present NOT NULL,
    mid_1s numeric(21, 9)
        CONSTRAINT client_measures_mid_1s_positive CHECK (mid_1s > 0 AND mid_1s < 'Infinity'),
    mid_10s numeric(21, 9)
        CONSTRAINT client_measures_mid_10s_positive CHECK (mid_10s > 0 AND mid_10s < 'Infinity'),
    mid_60s numeric(21, 9)
        CONSTRAINT client_measures_mid_60s_positive CHECK (mid_60s > 0 AND mid_60s < 'Infinity'),
    markout_1s_bps numeric(12, 4)
        CONSTRAINT client_measures_markout_1s_bps_in_range CHECK (markout_1s_bps BETWEEN -1000 AND 1000),
    markout_10s_bps numeric(12, 4)
        CONSTRAINT client_measures_markout_10s_bps_in_range CHECK (markout_10s_bps BETWEEN -1000 AND 1000),
    markout_60s_bps numeric(12, 4)
        CONSTRAINT client_measures_markout_60s_bps_in_range CHECK (markout_60s_bps BETWEEN -1000 AND 1000),
    opened_at timestamptz,
    is_short_hold boolean,
    is_win boolean,
    rejected_at timestamptz,
    booked_at timestamptz DEFAULT clock_timestamp()
        CONSTRAINT client_measures_booked_at_present NOT NULL,
    CONSTRAINT client_measures_pkey PRIMARY KEY (user_id, kind, number),
    CONSTRAINT client_measures_fill_has_its_middles CHECK (
        num_nonnulls(fill_id, mid_1s, mid_10s, mid_60s, markout_1s_bps, markout_10s_bps, markout_60s_bps)
        = CASE kind WHEN 'fill' THEN 7 ELSE 0 END
    ),
    CONSTRAINT client_measures_closing_has_its_trade CHECK (
        num_nonnulls(trade_id, is_short_hold, is_win) = CASE kind WHEN 'closing' THEN 3 ELSE 0 END
        AND (kind = 'closing' OR opened_at IS NULL)
    ),
    CONSTRAINT client_measures_arrival_has_its_order CHECK (
        (kind = 'arrival') = (order_id IS NOT NULL) AND (kind = 'arrival' OR rejected_at IS NULL)
    )
);
COMMENT ON TABLE client_measures IS 'Each thing that was measured of a client: the inputs of its profile, and so of every toxicity that an order was divided by. Append-only, pruned after five years.';
COMMENT ON COLUMN client_measures.kind IS 'What was measured: how the market moved after a fill, how long what a closing trade closed was held and whether it won, or whether an order came when a provider rejected.';
COMMENT ON COLUMN client_measures.number IS 'The count of its kind in the client''s profile with it; what a decision knew are those up to the counts in its inputs.';
COMMENT ON COLUMN client_measures.measured_at IS 'Market time: when the fill was dealt, of the quote that the trade closed on, or when the order came to be dealt.';
COMMENT ON COLUMN client_measures.mid_1s IS 'The middle that stood one second of market time after the fill.';
COMMENT ON COLUMN client_measures.markout_1s_bps IS 'The client''s gain against that middle in basis points, cut off at 1,000.';
COMMENT ON COLUMN client_measures.opened_at IS 'Market time of the quote that the closed position was opened on.';
COMMENT ON COLUMN client_measures.rejected_at IS 'Market time of a provider''s rejection within a second of the order, if there was one.';
CREATE UNIQUE INDEX idx_client_measures_fill_id
    ON client_measures (fill_id)
    WHERE fill_id IS NOT NULL;
CREATE UNIQUE INDEX idx_client_measures_trade_id
    ON client_measures (trade_id)
    WHERE trade_id IS NOT NULL;
CREATE INDEX idx_client_measures_order_id
    ON client_measures (order_id)
    WHERE order_id IS NOT NULL;
CREATE INDEX idx_client_measures_booked_at
    ON client_measures USING brin (booked_at);
CREATE TRIGGER client_measures_are_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON client_measures
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER client_measures_are_kept_five_years
    BEFORE DELETE ON client_measures
    FOR EACH ROW WHEN (OLD.booked_at > clock_timestamp() - interval '5 years')
    EXECUTE FUNCTION refuse_change();

CREATE TABLE routing_decisions (
    id uuid
        CONSTRAINT routing_decisions_pkey PRIMARY KEY,
    order_id uuid
        CONSTRAINT routing_decisions_order_id_present NOT NULL
        CONSTRAINT routing_decisions_order_exists REFERENCES orders (id) ON DELETE RESTRICT,
    reason text
        CONSTRAINT routing_decisions_reason_present NOT NULL
        CONSTRAINT routing_decisions_reason_known CHECK (reason IN (
            'halt', 'manual', 'rule', 'reduces_exposure', 'toxicity', 'size', 'exposure', 'volatility', 'default',
            'exposure_limit'
        )),
    rule_id uuid
        CONSTRAINT routing_decisions_rule_exists REFERENCES routing_rules (id) ON DELETE RESTRICT,
    rule_revision integer,
    a_percent smallint
        CONSTRAINT routing_decisions_a_percent_present NOT NULL
        CONSTRAINT routing_decisions_a_percent_in_range CHECK (a_percent BETWEEN 0 AND 100),
    a_quantity numeric(20, 8)
        CONSTRAINT routing_decisions_a_quantity_present NOT NULL
        CONSTRAINT routing_decisions_a_quantity_not_negative CHECK (a_quantity >= 0 AND a_quantity < 'Infinity'),
    b_quantity numeric(20, 8)
        CONSTRAINT routing_decisions_b_quantity_present NOT NULL
        CONSTRAINT routing_decisions_b_quantity_not_negative CHECK (b_quantity >= 0 AND b_quantity < 'Infinity'),
    inputs jsonb
        CONSTRAINT routing_decisions_inputs_present NOT NULL
        CONSTRAINT routing_decisions_inputs_is_object CHECK (jsonb_typeof(inputs) = 'object'),
    candidates jsonb
        CONSTRAINT routing_decisions_candidates_present NOT NULL
        CONSTRAINT routing_decisions_candidates_is_array CHECK (jsonb_typeof(candidates) = 'array'),
    decided_at timestamptz
        CONSTRAINT routing_decisions_decided_at_present NOT NULL,
    CONSTRAINT routing_decisions_quantity_not_zero CHECK (a_quantity + b_quantity > 0),
    CONSTRAINT routing_decisions_rule_has_its_revision CHECK ((rule_id IS NULL) = (rule_revision IS NULL)),
    CONSTRAINT routing_decisions_rule_iff_by_rule CHECK (rule_id IS NULL OR reason IN ('rule', 'exposure_limit'))
);
COMMENT ON TABLE routing_decisions IS 'How each hybrid order was divided between the house and the providers, with everything that it was decided on. Append-only.';
COMMENT ON COLUMN routing_decisions.reason IS 'The first word in the order of precedence that asked for this share; exposure_limit where the limit asked for more.';
COMMENT ON COLUMN routing_decisions.a_percent IS 'Share for the providers; the house''s share is what is left of 100.';
COMMENT ON COLUMN routing_decisions.a_quantity IS 'Quantity for the providers; both quantities are on the instrument''s step, and what does not divide goes to the providers.';
COMMENT ON COLUMN routing_decisions.inputs IS 'The order, the client with all that was measured of it, the exposure, toxicity and volatility, and the policy or override as they were.';
COMMENT ON COLUMN routing_decisions.candidates IS 'Every level that could be dealt on, best first, with its score in basis points.';
COMMENT ON COLUMN routing_decisions.decided_at IS 'Market time of the decision.';
CREATE INDEX idx_routing_decisions_order_id
    ON routing_decisions (order_id);
CREATE INDEX idx_routing_decisions_rule_id
    ON routing_decisions (rule_id)
    WHERE rule_id IS NOT NULL;
CREATE TRIGGER routing_decisions_are_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON routing_decisions
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- What the house stands to gain or lose with a price, added up from everything there is: what is open,
-- what was ever passed on but for fills that were taken back, and the hedges. One law compares it with the fills themselves, another what
-- is kept for the engine (kept_exposures) with it.
CREATE VIEW house_exposures AS
SELECT
    i.symbol,
    coalesce(c.quantity, 0) AS client_quantity,
    coalesce(p.quantity, 0) AS passed_on_quantity,
    coalesce(h.quantity, 0) AS hedged_quantity,
    coalesce(u.quantity, 0) AS unsolicited_quantity,
    coalesce(p.quantity, 0) + coalesce(h.quantity, 0) + coalesce(u.quantity, 0) - coalesce(c.quantity, 0) AS net
FROM instruments AS i
LEFT JOIN (
    SELECT symbol, sum(quantity) AS quantity FROM positions WHERE is_open GROUP BY symbol
) AS c ON c.symbol = i.symbol
LEFT JOIN (
    SELECT o.symbol, sum(CASE o.side WHEN 'buy' THEN f.quantity ELSE -f.quantity END) AS quantity
    FROM order_fills AS f
    JOIN orders AS o ON o.id = f.order_id
    LEFT JOIN (
        SELECT DISTINCT t.fill_id
        FROM trade_reversals AS r
        JOIN trades AS t ON t.id = r.trade_id
    ) AS b ON b.fill_id = f.id
    WHERE f.provider_execution_id IS NOT NULL AND b.fill_id IS NULL
    GROUP BY o.symbol
) AS p ON p.symbol = i.symbol
LEFT JOIN (
    SELECT symbol, sum(quantity) AS quantity FROM hedge_fills GROUP BY symbol
) AS h ON h.symbol = i.symbol
LEFT JOIN (
    SELECT f.symbol, sum(CASE f.side WHEN 'buy' THEN f.quantity ELSE -f.quantity END) AS quantity
    FROM unsolicited_fills AS f
    LEFT JOIN unsolicited_fill_resolutions AS r ON r.fill_id = f.id
    WHERE coalesce(r.resolution, 'kept') = 'kept'
    GROUP BY f.symbol
) AS u ON u.symbol = i.symbol;
COMMENT ON VIEW house_exposures IS 'Per symbol: what clients hold, what of it was dealt with providers, the hedges, executions set aside that the house holds, and the house''s net; above zero it is long.';

CREATE TABLE exposure_totals (
    symbol text
        CONSTRAINT exposure_totals_pkey PRIMARY KEY,
    net numeric(30, 8)
        CONSTRAINT exposure_totals_net_present NOT NULL
        CONSTRAINT exposure_totals_net_finite CHECK (net > '-Infinity' AND net < 'Infinity'),
    updated_at timestamptz DEFAULT clock_timestamp()
        CONSTRAINT exposure_totals_updated_at_present NOT NULL
);
COMMENT ON TABLE exposure_totals IS 'The house''s net exposure by symbol as it was rolled up last; kept by roll_up_exposures, nobody waits for it.';
COMMENT ON COLUMN exposure_totals.symbol IS 'As in exposure_changes: an execution that was set aside may name none of our instruments.';
CREATE TRIGGER exposure_totals_are_kept
    BEFORE DELETE OR TRUNCATE ON exposure_totals
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- No foreign key: each batch would lock the rows of the instruments, and make them wait for each other.
CREATE TABLE exposure_changes (
    seq bigint GENERATED ALWAYS AS IDENTITY
        CONSTRAINT exposure_changes_pkey PRIMARY KEY,
    symbol text
        CONSTRAINT exposure_changes_symbol_present NOT NULL,
    change numeric(30, 8)
        CONSTRAINT exposure_changes_change_present NOT NULL
        CONSTRAINT exposure_changes_change_finite CHECK (change > '-Infinity' AND change < 'Infinity')
);
COMMENT ON TABLE exposure_changes IS 'What batches have done to the house''s exposure since it was rolled up, one row for each batch and symbol: appended, never updated, and taken away by roll_up_exposures.';
COMMENT ON COLUMN exposure_changes.change IS 'In units of the base currency: below zero where the house sold, dealing with a client who bought or hedging.';
CREATE TRIGGER exposure_changes_are_not_updated
    BEFORE UPDATE OR TRUNCATE ON exposure_changes
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE VIEW kept_exposures AS
SELECT i.symbol, trim_scale(coalesce(t.net, 0) + coalesce(c.change, 0)) AS net
FROM instruments AS i
LEFT JOIN exposure_totals AS t ON t.symbol = i.symbol
LEFT JOIN (
    SELECT symbol, sum(change) AS change FROM exposure_changes GROUP BY symbol
) AS c ON c.symbol = i.symbol;
COMMENT ON VIEW kept_exposures IS 'Per symbol: the house''s net exposure as it is kept, its roll-up and what came since; to read it costs the same however much was ever dealt.';

-- Takes changes away and adds them to the totals in one statement, so that any snapshot has each of
-- them once. From zero the totals are what everything that the same snapshot sees adds up to.
CREATE FUNCTION roll_up_exposures(p_from_zero boolean DEFAULT false) RETURNS bigint
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    v_count bigint;
BEGIN
    LOCK TABLE exposure_totals IN SHARE ROW EXCLUSIVE MODE;
    WITH counted AS (
        DELETE FROM exposure_changes
        WHERE seq IS NOT NULL
        RETURNING symbol, change
    ), rolled AS (
        INSERT INTO exposure_totals AS t (symbol, net)
        SELECT symbol, sum(change)
        FROM counted
        WHERE NOT p_from_zero
        GROUP BY symbol
        UNION ALL
        SELECT symbol, net
        FROM house_exposures
        WHERE p_from_zero
        ON CONFLICT (symbol) DO UPDATE
        SET net = excluded.net + CASE WHEN p_from_zero THEN 0 ELSE t.net END,
            updated_at = clock_timestamp()
    )
    SELECT count(*) INTO v_count FROM counted;
    RETURN v_count;
END;
$$;
COMMENT ON FUNCTION roll_up_exposures(boolean) IS 'Counts what batches have appended to exposure_changes into exposure_totals, or adds everything up anew; returns how many changes it took away.';

CREATE TABLE provider_connections (
    id uuid DEFAULT uuidv7()
        CONSTRAINT provider_connections_pkey PRIMARY KEY,
    provider_id uuid
        CONSTRAINT provider_connections_provider_id_present NOT NULL
        CONSTRAINT provider_connections_provider_exists REFERENCES liquidity_providers (id) ON DELETE RESTRICT,
    purpose text
        CONSTRAINT provider_connections_purpose_present NOT NULL
        CONSTRAINT provider_connections_purpose_known CHECK (purpose IN ('orders', 'quotes')),
    host text
        CONSTRAINT provider_connections_host_present NOT NULL
        CONSTRAINT provider_connections_host_not_empty CHECK (host <> ''),
    port integer
        CONSTRAINT provider_connections_port_present NOT NULL
        CONSTRAINT provider_connections_port_in_range CHECK (port BETWEEN 1 AND 65535),
    sender_comp_id text
        CONSTRAINT provider_connections_sender_comp_id_present NOT NULL
        CONSTRAINT provider_connections_sender_comp_id_printable CHECK (sender_comp_id ~ '^[!-~]+$'),
    target_comp_id text
        CONSTRAINT provider_connections_target_comp_id_present NOT NULL
        CONSTRAINT provider_connections_target_comp_id_printable CHECK (target_comp_id ~ '^[!-~]+$'),
    heartbeat_seconds smallint DEFAULT 30
        CONSTRAINT provider_connections_heartbeat_seconds_present NOT NULL
        CONSTRAINT provider_connections_heartbeat_seconds_in_range CHECK (heartbeat_seconds BETWEEN 1 AND 300),
    resets_on_logon boolean DEFAULT false
        CONSTRAINT provider_connections_resets_on_logon_present NOT NULL,
    uses_tls boolean DEFAULT true
        CONSTRAINT provider_connections_uses_tls_present NOT NULL,
    username text,
    account text,
    revision integer DEFAULT 1
        CONSTRAINT provider_connections_revision_present NOT NULL
        CONSTRAINT provider_connections_revision_positive CHECK (revision > 0),
    created_at timestamptz DEFAULT clock_timestamp()
        CONSTRAINT provider_connections_created_at_present NOT NULL,
    updated_at timestamptz DEFAULT clock_timestamp()
        CONSTRAINT provider_connections_updated_at_present NOT NULL,
    CONSTRAINT provider_connections_one_per_purpose UNIQUE (provider_id, purpose)
);
COMMENT ON TABLE provider_connections IS 'How providers are reached over FIX 4.4; one without a connection is simulated. Passwords are never here.';
COMMENT ON COLUMN provider_connections.purpose IS 'orders: kept message by message; quotes: numbered anew at each logon, and not kept.';
COMMENT ON COLUMN provider_connections.resets_on_logon IS 'ResetSeqNumFlag (141): begin again at 1 with each logon, as some providers demand; what they said while away is then lost to the session.';
COMMENT ON COLUMN provider_connections.username IS 'Username (553); its password is given in the environment.';
COMMENT ON COLUMN provider_connections.account IS 'Account (1) that our orders name.';
COMMENT ON COLUMN provider_connections.revision IS 'Counts the audited changes of the row; equals its rows in audit_log.';
CREATE TRIGGER provider_connections_count_revision
    BEFORE UPDATE ON provider_connections
    FOR EACH ROW EXECUTE FUNCTION count_revision();
CREATE TRIGGER provider_connections_are_audited
    AFTER INSERT OR UPDATE OR DELETE ON provider_connections
    FOR EACH ROW EXECUTE FUNCTION audit_row_change();
ALTER TABLE provider_connections ENABLE ALWAYS TRIGGER provider_connections_are_audited;

CREATE TABLE fix_sessions (
    id uuid DEFAULT uuidv7()
        CONSTRAINT fix_sessions_pkey PRIMARY KEY,
    provider_id uuid
        CONSTRAINT fix_sessions_provider_id_present NOT NULL
        CONSTRAINT fix_sessions_provider_exists REFERENCES liquidity_providers (id) ON DELETE RESTRICT,
    sender_comp_id text
        CONSTRAINT fix_sessions_sender_comp_id_present NOT NULL,
    target_comp_id text
        CONSTRAINT fix_sessions_target_comp_id_present NOT NULL,
    began_at timestamptz DEFAULT clock_timestamp()
        CONSTRAINT fix_sessions_began_at_present NOT NULL
);
COMMENT ON TABLE fix_sessions IS 'Numberings of FIX sessions: the newest one of a pair of CompIDs is in force, and each begins at 1. Append-only.';
CREATE INDEX idx_fix_sessions_provider_id
    ON fix_sessions (provider_id);
CREATE TRIGGER fix_sessions_are_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON fix_sessions
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TABLE fix_messages (
    session_id uuid
        CONSTRAINT fix_messages_session_id_present NOT NULL
        CONSTRAINT fix_messages_session_exists REFERENCES fix_sessions (id) ON DELETE RESTRICT,
    direction text
        CONSTRAINT fix_messages_direction_present NOT NULL
        CONSTRAINT fix_messages_direction_known CHECK (direction IN ('in', 'out')),
    seq bigint
        CONSTRAINT fix_messages_seq_present NOT NULL
        CONSTRAINT fix_messages_seq_positive CHECK (seq > 0),
    next_seq bigint
        CONSTRAINT fix_messages_next_seq_present NOT NULL
        CONSTRAINT fix_messages_next_seq_rises CHECK (next_seq > seq),
    message_type text
        CONSTRAINT fix_messages_message_type_present NOT NULL,
    request_id text,
    execution_id text,
    raw text
        CONSTRAINT fix_messages_raw_present NOT NULL,
    kept_at timestamptz DEFAULT clock_timestamp()
        CONSTRAINT fix_messages_kept_at_present NOT NULL,
    CONSTRAINT fix_messages_pkey PRIMARY KEY (session_id, direction, seq)
);
COMMENT ON TABLE fix_messages IS 'Every message of the sessions for orders, kept before it is sent or acted upon: what may have been said is known after a crash, and can be said again. Append-only, and kept for seven years.';
COMMENT ON COLUMN fix_messages.seq IS 'MsgSeqNum (34) in its direction; gapless but for gap fills.';
COMMENT ON COLUMN fix_messages.next_seq IS 'The number that follows: seq + 1, or what a SequenceReset leads to.';
COMMENT ON COLUMN fix_messages.message_type IS 'MsgType (35).';
COMMENT ON COLUMN fix_messages.request_id IS 'ClOrdID (11).';
COMMENT ON COLUMN fix_messages.execution_id IS 'ExecID (17) of a received execution that dealt something.';
COMMENT ON COLUMN fix_messages.raw IS 'The whole message, with a mark in the place of a password.';
-- A request and its reports, by an id or the beginning of one, when an engine starts.
CREATE INDEX idx_fix_messages_request_id
    ON fix_messages (request_id text_pattern_ops)
    WHERE request_id IS NOT NULL;
-- What is older than all that must be kept.
CREATE INDEX idx_fix_messages_kept_at
    ON fix_messages USING brin (kept_at);
CREATE TRIGGER fix_messages_are_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON fix_messages
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER fix_messages_are_kept_seven_years
    BEFORE DELETE ON fix_messages
    FOR EACH ROW WHEN (OLD.kept_at > clock_timestamp() - interval '7 years')
    EXECUTE FUNCTION refuse_change();

-- Reconciliation: a provider's own list of trades beside our executions.
CREATE TABLE provider_trade_lists (
    id uuid DEFAULT uuidv7()
        CONSTRAINT provider_trade_lists_pkey PRIMARY KEY,
    provider_id uuid
        CONSTRAINT provider_trade_lists_provider_id_present NOT NULL
        CONSTRAINT provider_trade_lists_provider_exists REFERENCES liquidity_providers (id) ON DELETE RESTRICT,
    traded_on date
        CONSTRAINT provider_trade_lists_traded_on_present NOT NULL,
    digest text
        CONSTRAINT provider_trade_lists_digest_present NOT NULL,
    imported_at timestamptz DEFAULT clock_timestamp()
        CONSTRAINT provider_trade_lists_imported_at_present NOT NULL
);
COMMENT ON TABLE provider_trade_lists IS 'Providers'' lists of a day''s trades; the newest of a day counts, and differs from the one before. Append-only.';
COMMENT ON COLUMN provider_trade_lists.digest IS 'SHA-256 of provider, day and lines.';
CREATE INDEX idx_provider_trade_lists_provider_id_traded_on
    ON provider_trade_lists (provider_id, traded_on);
CREATE TRIGGER provider_trade_lists_are_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON provider_trade_lists
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TABLE provider_trades (
    list_id uuid
        CONSTRAINT provider_trades_list_id_present NOT NULL
        CONSTRAINT provider_trades_list_exists REFERENCES provider_trade_lists (id) ON DELETE RESTRICT,
    line_number integer
        CONSTRAINT provider_trades_line_number_present NOT NULL
        CONSTRAINT provider_trades_line_number_positive CHECK (line_number > 0),
    execution_id text
        CONSTRAINT provider_trades_execution_id_present NOT NULL,
    request_id text
        CONSTRAINT provider_trades_request_id_present NOT NULL,
    symbol text
        CONSTRAINT provider_trades_symbol_present NOT NULL,
    side text
        CONSTRAINT provider_trades_side_present NOT NULL
        CONSTRAINT provider_trades_side_known CHECK (side IN ('buy', 'sell')),
    quantity numeric(20, 8)
        CONSTRAINT provider_trades_quantity_present NOT NULL
        CONSTRAINT provider_trades_quantity_positive CHECK (quantity > 0 AND quantity < 'Infinity'),
    price numeric(20, 8)
        CONSTRAINT provider_trades_price_present NOT NULL
        CONSTRAINT provider_trades_price_finite CHECK (price > '-Infinity' AND price < 'Infinity'),
    executed_at timestamptz
        CONSTRAINT provider_trades_executed_at_present NOT NULL,
    CONSTRAINT provider_trades_pkey PRIMARY KEY (list_id, line_number)
);
COMMENT ON TABLE provider_trades IS 'One trade each, as the provider lists it. Append-only.';
COMMENT ON COLUMN provider_trades.request_id IS 'FIX ClOrdID (11), empty where the provider names none.';
CREATE INDEX idx_provider_trades_execution_id
    ON provider_trades (execution_id);
CREATE TRIGGER provider_trades_are_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON provider_trades
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TABLE provider_trade_breaks (
    id uuid DEFAULT uuidv7()
        CONSTRAINT provider_trade_breaks_pkey PRIMARY KEY,
    provider_id uuid
        CONSTRAINT provider_trade_breaks_provider_id_present NOT NULL
        CONSTRAINT provider_trade_breaks_provider_exists REFERENCES liquidity_providers (id) ON DELETE RESTRICT,
    execution_id text
        CONSTRAINT provider_trade_breaks_execution_id_present NOT NULL,
    bucket text
        CONSTRAINT provider_trade_breaks_bucket_present NOT NULL
        CONSTRAINT provider_trade_breaks_bucket_known CHECK (bucket IN (
            'ours_only', 'theirs_only', 'terms_mismatch', 'quantity_mismatch', 'price_mismatch', 'duplicate', 'set_aside',
            'timing'
        )),
    details jsonb
        CONSTRAINT provider_trade_breaks_details_present NOT NULL,
    opened_at timestamptz DEFAULT clock_timestamp()
        CONSTRAINT provider_trade_breaks_opened_at_present NOT NULL,
    closed_at timestamptz
);
COMMENT ON TABLE provider_trade_breaks IS 'Each difference between a provider''s trades and our executions, from the run that found it to the run that no longer did.';
CREATE INDEX idx_provider_trade_breaks_provider_id
    ON provider_trade_breaks (provider_id);
CREATE UNIQUE INDEX idx_provider_trade_breaks_provider_id_execution_id_open
    ON provider_trade_breaks (provider_id, execution_id, bucket)
    WHERE closed_at IS NULL;
CREATE TRIGGER provider_trade_breaks_are_kept
    BEFORE DELETE OR TRUNCATE ON provider_trade_breaks
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER provider_trade_breaks_keep_their_key
    BEFORE UPDATE OF id, provider_id, execution_id, bucket, opened_at ON provider_trade_breaks
    FOR EACH ROW WHEN (
        (OLD.id, OLD.provider_id, OLD.execution_id, OLD.bucket, OLD.opened_at)
        IS DISTINCT FROM (NEW.id, NEW.provider_id, NEW.execution_id, NEW.bucket, NEW.opened_at)
    )
    EXECUTE FUNCTION refuse_new_key();
