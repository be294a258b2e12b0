-- 010: what a broker asks each day, computed ahead: materialized views, and the record of their refreshes.
--
-- Each view says its grain in its comment, has one currency a row, and a unique index on plain columns, so
-- that it is refreshed beside its readers. Sums and parts stand in them, never a mean of which another
-- would be made. They are created empty, and to read one that was never filled is an error: so it is never
-- taken for a day on which nothing happened. How old they are says reporting_view_states.

-- A single expression, so that the planner writes it into the query (core/trading_day.py says the same).
CREATE FUNCTION trading_day(p_at timestamptz) RETURNS date
LANGUAGE sql IMMUTABLE AS $$
    SELECT ((p_at AT TIME ZONE 'America/New_York') + interval '7 hours')::date
        + CASE extract(isodow FROM (p_at AT TIME ZONE 'America/New_York') + interval '7 hours')
            WHEN 6 THEN 2
            WHEN 7 THEN 1
            ELSE 0
        END;
$$;
COMMENT ON FUNCTION trading_day(timestamptz) IS 'The trading day of an instant: it ends at 17:00 in New York, from Monday to Friday; that end belongs to the next day, and a weekend to Monday.';

-- A fee is of the movement that the provider names. What two payments call alike is the older one''s.
CREATE MATERIALIZED VIEW payment_summary AS
SELECT
    e.user_id,
    e.day,
    e.currency,
    e.kind,
    count(*) FILTER (WHERE e.what = 'completed') AS payment_count,
    coalesce(sum(e.amount) FILTER (WHERE e.what = 'completed'), 0) AS volume,
    coalesce(sum(e.amount) FILTER (WHERE e.what = 'fee'), 0) AS fees,
    count(*) FILTER (WHERE e.what = 'refund') AS refund_count,
    coalesce(sum(e.amount) FILTER (WHERE e.what = 'refund'), 0) AS refunded,
    count(*) FILTER (WHERE e.what = 'dispute') AS dispute_count,
    coalesce(sum(e.amount) FILTER (WHERE e.what = 'dispute'), 0) AS disputed,
    count(*) FILTER (WHERE e.what = 'reversed') AS reversed_count,
    coalesce(sum(e.amount) FILTER (WHERE e.what = 'reversed'), 0) AS reversed
FROM (
    SELECT
        p.user_id,
        (p.completed_at AT TIME ZONE 'UTC')::date AS day,
        p.currency,
        p.kind,
        CASE p.status WHEN 'succeeded' THEN 'completed' ELSE 'reversed' END AS what,
        p.amount
    FROM payment_transactions AS p
    WHERE p.status IN ('succeeded', 'reversed')
    UNION ALL
    SELECT p.user_id, (c.completed_at AT TIME ZONE 'UTC')::date, p.currency, p.kind, c.kind, c.amount
    FROM payment_claims AS c
    JOIN payment_transactions AS p ON p.id = c.payment_id
    WHERE c.status IN ('succeeded', 'lost')
    UNION ALL
    SELECT m.user_id, l.booked_on, l.currency, m.kind, 'fee' AS what, l.fee
    FROM payment_settlement_lines AS x
    JOIN provider_statement_lines AS l ON l.statement_id = x.statement_id AND l.line_number = x.line_number
    JOIN provider_statements AS s ON s.id = x.statement_id
    JOIN (
        SELECT DISTINCT ON (n.provider, n.reference, n.line_kind)
            n.provider,
            n.reference,
            n.line_kind,
            n.user_id,
            n.kind
        FROM (
            SELECT p.provider, p.reference, k.line_kind, p.user_id, p.kind, p.id
            FROM payment_transactions AS p
            JOIN (VALUES ('deposit', 'deposit'), ('withdrawal', 'withdrawal'), ('withdrawal', 'return'))
                AS k (kind, line_kind) ON k.kind = p.kind
            UNION ALL
            SELECT p.provider, c.reference, k.line_kind, p.user_id, p.kind, c.id
            FROM payment_claims AS c
            JOIN payment_transactions AS p ON p.id = c.payment_id
            CROSS JOIN LATERAL (VALUES (c.kind), ('return')) AS k (line_kind)
        ) AS n
        WHERE n.reference IS NOT NULL
        ORDER BY n.provider, n.reference, n.line_kind, n.id
    ) AS m ON m.provider = s.provider AND m.reference = l.reference AND m.line_kind = l.kind
    WHERE l.fee > 0
) AS e
GROUP BY e.user_id, e.day, e.currency, e.kind
WITH NO DATA;
CREATE UNIQUE INDEX idx_payment_summary_user_id_day_currency_kind
    ON payment_summary (user_id, day, currency, kind);
CREATE INDEX idx_payment_summary_day
    ON payment_summary (day);
COMMENT ON MATERIALIZED VIEW payment_summary IS 'Grain: one user, day in UTC, currency and kind (deposit or withdrawal). Payments on the day they were completed, claims on the day they were paid, fees on the provider''s day.';
COMMENT ON COLUMN payment_summary.volume IS 'Sum of the payments that have succeeded and still stand.';
COMMENT ON COLUMN payment_summary.fees IS 'What the provider has kept for them and for claims on them, as far as it is settled; the house bears it.';
COMMENT ON COLUMN payment_summary.refunded IS 'What was given back of deposits; they still count in volume on their own day.';
COMMENT ON COLUMN payment_summary.disputed IS 'What payers'' banks have taken back: disputes that were lost.';
COMMENT ON COLUMN payment_summary.reversed IS 'Payments that came to nothing after they had been told: whole, and no longer in volume.';

-- Every figure stands on the day on which the ledger booked it, so a day that is over changes no more.
CREATE MATERIALIZED VIEW trading_summary AS
SELECT
    e.account_id,
    e.trading_day,
    e.symbol,
    a.currency,
    sum(e.trade_count) AS trade_count,
    sum(e.volume) AS volume,
    sum(e.reversed_volume) AS reversed_volume,
    sum(e.realised_pnl) AS realised_pnl,
    sum(e.adjustments) AS adjustments,
    sum(e.commission) AS commission,
    sum(e.swap) AS swap,
    sum(e.swap_free_fees) AS swap_free_fees,
    sum(e.realised_pnl + e.adjustments - e.commission + e.swap - e.swap_free_fees) AS result
FROM (
    SELECT
        t.account_id,
        trading_day(t.executed_at) AS trading_day,
        p.symbol,
        (t.fill_id IS NOT NULL AND t.effect <> 'reverse')::integer AS trade_count,
        CASE WHEN t.fill_id IS NOT NULL AND t.effect <> 'reverse' THEN abs(t.quantity) ELSE 0 END AS volume,
        CASE t.effect WHEN 'reverse' THEN abs(t.quantity) ELSE 0 END AS reversed_volume,
        t.realised_pnl,
        0 AS adjustments,
        t.commission,
        0 AS swap,
        0 AS swap_free_fees
    FROM trades AS t
    JOIN positions AS p ON p.id = t.position_id
    UNION ALL
    SELECT t.account_id, trading_day(j.booked_at), p.symbol, 0, 0, 0, 0, j.amount, 0, 0, 0
    FROM trade_adjustments AS j
    JOIN trades AS t ON t.id = j.trade_id
    JOIN positions AS p ON p.id = t.position_id
    UNION ALL
    SELECT t.account_id, trading_day(t.executed_at), p.symbol, 0, 0, 0, 0, r.adjustment, -r.commission, 0, 0
    FROM trade_reversals AS r
    JOIN trades AS t ON t.id = r.reversing_id
    JOIN positions AS p ON p.id = t.position_id
    UNION ALL
    SELECT
        p.account_id,
        trading_day(r.booked_at),
        p.symbol,
        0,
        0,
        0,
        0,
        0,
        0,
        CASE r.operation WHEN 'swap' THEN r.amount ELSE 0 END,
        CASE r.operation WHEN 'swap_free_fee' THEN -r.amount ELSE 0 END
    FROM position_rollovers AS r
    JOIN positions AS p ON p.id = r.position_id
) AS e
JOIN accounts AS a ON a.id = e.account_id
GROUP BY e.account_id, e.trading_day, e.symbol, a.currency
WITH NO DATA;
CREATE UNIQUE INDEX idx_trading_summary_account_id_trading_day_symbol
    ON trading_summary (account_id, trading_day, symbol);
CREATE INDEX idx_trading_summary_trading_day
    ON trading_summary (trading_day);
COMMENT ON MATERIALIZED VIEW trading_summary IS 'Grain: one account, trading day (17:00 in New York) of the booking by the server''s clock, and symbol. Money is in the account''s currency.';
COMMENT ON COLUMN trading_summary.trade_count IS 'Trades of fills: openings and closings, a fill that turns a position is two; pairings and reversals are none.';
COMMENT ON COLUMN trading_summary.volume IS 'What they have moved, in units of the base currency.';
COMMENT ON COLUMN trading_summary.reversed_volume IS 'What was taken back of busted fills, in the same unit; it stays in volume.';
COMMENT ON COLUMN trading_summary.adjustments IS 'What was given, or below zero charged, for corrected prices, and taken back of that.';
COMMENT ON COLUMN trading_summary.commission IS 'What was charged, less what was given back with reversals.';
COMMENT ON COLUMN trading_summary.swap IS 'What was earned, or below zero paid, over the rollover; it is booked after 17:00, so on the next day.';
COMMENT ON COLUMN trading_summary.swap_free_fees IS 'What swap-free accounts have paid instead.';
COMMENT ON COLUMN trading_summary.result IS 'realised_pnl + adjustments - commission + swap - swap_free_fees: what all this has moved in the account.';

CREATE MATERIALIZED VIEW provider_summary AS
WITH asked AS MATERIALIZED (
    SELECT
        r.id,
        r.provider_id,
        coalesce(o.symbol, h.symbol) AS symbol,
        trading_day(r.requested_at) AS trading_day,
        r.quantity,
        r.filled_quantity,
        r.is_accepted,
        r.reason,
        r.hold_ms
    FROM provider_requests AS r
    LEFT JOIN orders AS o ON o.id = r.order_id
    LEFT JOIN hedges AS h ON h.id = r.hedge_id
), reasons AS (
    SELECT n.provider_id, n.symbol, n.trading_day, jsonb_object_agg(n.reason, n.count) AS rejected_by_reason
    FROM (
        SELECT provider_id, symbol, trading_day, reason, count(*) AS count
        FROM asked
        WHERE reason IS NOT NULL
        GROUP BY provider_id, symbol, trading_day, reason
    ) AS n
    GROUP BY n.provider_id, n.symbol, n.trading_day
), better AS (
    -- A fill is of the last request before it: a provider is asked anew for an order once it has answered.
    SELECT
        a.provider_id,
        a.symbol,
        a.trading_day,
        sum(f.quantity) AS quantity,
        sum((r.price - f.price) * f.quantity * CASE o.side WHEN 'buy' THEN 1 ELSE -1 END) AS improvement
    FROM order_fills AS f
    JOIN orders AS o ON o.id = f.order_id
    CROSS JOIN LATERAL (
        SELECT q.id, q.price
        FROM provider_requests AS q
        WHERE q.order_id = f.order_id
          AND q.provider_id = f.provider_id
          AND q.is_accepted
          AND q.requested_at <= f.quoted_at
        ORDER BY q.requested_at DESC, q.id DESC
        LIMIT 1
    ) AS r
    JOIN asked AS a ON a.id = r.id
    WHERE f.provider_execution_id IS NOT NULL AND r.price IS NOT NULL
    GROUP BY a.provider_id, a.symbol, a.trading_day
)
SELECT
    p.code AS provider,
    s.symbol,
    s.trading_day,
    i.quote_currency AS currency,
    s.request_count,
    s.filled_count,
    s.partly_filled_count,
    s.rejected_count,
    s.unanswered_count,
    coalesce(n.rejected_by_reason, '{}'::jsonb) AS rejected_by_reason,
    s.requested_quantity,
    s.filled_quantity,
    s.hold_ms_p50,
    s.hold_ms_p95,
    s.hold_ms_p99,
    coalesce(b.quantity, 0) AS priced_quantity,
    coalesce(b.improvement, 0) AS improvement,
    round(b.improvement / b.quantity, 8) AS mean_improvement
FROM (
    SELECT
        a.provider_id,
        a.symbol,
        a.trading_day,
        count(*) AS request_count,
        count(*) FILTER (WHERE a.filled_quantity >= a.quantity) AS filled_count,
        count(*) FILTER (WHERE a.is_accepted AND a.filled_quantity < a.quantity) AS partly_filled_count,
        count(*) FILTER (WHERE NOT a.is_accepted) AS rejected_count,
        count(*) FILTER (WHERE a.reason IN ('not_connected', 'unknown_request')) AS unanswered_count,
        sum(a.quantity) AS requested_quantity,
        sum(a.filled_quantity) AS filled_quantity,
        percentile_cont(0.5) WITHIN GROUP (ORDER BY a.hold_ms)
            FILTER (WHERE a.reason IS DISTINCT FROM 'not_connected')::numeric(20, 3) AS hold_ms_p50,
        percentile_cont(0.95) WITHIN GROUP (ORDER BY a.hold_ms)
            FILTER (WHERE a.reason IS DISTINCT FROM 'not_connected')::numeric(20, 3) AS hold_ms_p95,
        percentile_cont(0.99) WITHIN GROUP (ORDER BY a.hold_ms)
            FILTER (WHERE a.reason IS DISTINCT FROM 'not_connected')::numeric(20, 3) AS hold_ms_p99
    FROM asked AS a
    GROUP BY a.provider_id, a.symbol, a.trading_day
) AS s
JOIN liquidity_providers AS p ON p.id = s.provider_id
JOIN instruments AS i ON i.symbol = s.symbol
LEFT JOIN reasons AS n
    ON n.provider_id = s.provider_id AND n.symbol = s.symbol AND n.trading_day = s.trading_day
LEFT JOIN better AS b
    ON b.provider_id = s.provider_id AND b.symbol = s.symbol AND b.trading_day = s.trading_day
WITH NO DATA;
CREATE UNIQUE INDEX idx_provider_summary_provider_symbol_trading_day
    ON provider_summary (provider, symbol, trading_day);
CREATE INDEX idx_provider_summary_trading_day
    ON provider_summary (trading_day);
COMMENT ON MATERIALIZED VIEW provider_summary IS 'Grain: one provider, symbol and trading day (17:00 in New York) by the market time at which it was asked; requests for orders and for hedges.';
COMMENT ON COLUMN provider_summary.currency IS 'Quote currency of the symbol: of improvement and mean_improvement.';
COMMENT ON COLUMN provider_summary.filled_count IS 'Requests that were dealt whole; with partly_filled_count and rejected_count they are all.';
COMMENT ON COLUMN provider_summary.unanswered_count IS 'Of the rejected those that never were answered: there was no session, or the provider did not know of it when it was asked again.';
COMMENT ON COLUMN provider_summary.rejected_by_reason IS 'Reason of provider_requests and how many; they add up to rejected_count.';
COMMENT ON COLUMN provider_summary.hold_ms_p50 IS 'Half of the answers took no longer (percentile_cont) in milliseconds; requests that were never sent are left out.';
COMMENT ON COLUMN provider_summary.priced_quantity IS 'What was dealt of requests that named a price.';
COMMENT ON COLUMN provider_summary.improvement IS 'How much better than the price asked for that was dealt, in all; below zero worse.';
COMMENT ON COLUMN provider_summary.mean_improvement IS 'improvement / priced_quantity, for one unit of the base currency; for a mean over several rows add up both parts first.';

-- The accounts of the house whose balance is its result, and exchange, whose balance is money it holds. What
-- takes a movement back belongs to the source of what it takes back.
CREATE MATERIALIZED VIEW house_result AS
SELECT
    e.trading_day,
    e.currency,
    coalesce(sum(e.amount) FILTER (WHERE e.code = 'dealing' AND e.operation <> 'hedge_pnl'), 0) AS dealing,
    coalesce(sum(e.amount) FILTER (WHERE e.code = 'dealing' AND e.operation = 'hedge_pnl'), 0) AS hedges,
    coalesce(sum(e.amount) FILTER (WHERE e.code = 'fees' AND e.operation IN ('commission', 'commission_return')), 0) AS commission,
    coalesce(sum(e.amount) FILTER (WHERE e.code = 'fees' AND e.operation = 'swap_free_fee'), 0) AS swap_free_fees,
    coalesce(
        sum(e.amount) FILTER (
            WHERE e.code = 'fees' AND e.operation NOT IN ('commission', 'commission_return', 'swap_free_fee')
        ),
        0
    ) AS other_fees,
    coalesce(sum(e.amount) FILTER (WHERE e.code = 'swaps'), 0) AS swaps,
    coalesce(sum(e.amount) FILTER (WHERE e.code = 'provider_costs'), 0) AS provider_costs,
    coalesce(sum(e.amount) FILTER (WHERE e.code = 'negative_balance'), 0) AS negative_balances,
    coalesce(sum(e.amount) FILTER (WHERE e.code <> 'exchange'), 0) AS result,
    coalesce(sum(e.amount) FILTER (WHERE e.code = 'exchange'), 0) AS exchanged
FROM (
    SELECT
        trading_day(t.created_at) AS trading_day,
        t.currency,
        h.code,
        coalesce(o.operation, t.operation) AS operation,
        s.amount
    FROM transfers AS t
    LEFT JOIN transfers AS o ON o.id = t.reverses_id
    CROSS JOIN LATERAL (VALUES (t.credit_holder_id, t.amount), (t.debit_holder_id, -t.amount)) AS s (holder_id, amount)
    JOIN house_accounts AS h ON h.id = s.holder_id
    WHERE h.code IN ('dealing', 'fees', 'swaps', 'provider_costs', 'negative_balance', 'exchange')
) AS e
GROUP BY e.trading_day, e.currency
WITH NO DATA;
CREATE UNIQUE INDEX idx_house_result_trading_day_currency
    ON house_result (trading_day, currency);
COMMENT ON MATERIALIZED VIEW house_result IS 'Grain: one trading day (17:00 in New York) of the booking by the server''s clock, and currency. What the house has earned, below zero lost, by source; all days add up to the balances of its accounts.';
COMMENT ON COLUMN house_result.dealing IS 'The other side of clients'' results, with the spread in it, and of adjustments to corrected prices.';
COMMENT ON COLUMN house_result.hedges IS 'Results of hedges with providers, against the account liquidity.';
COMMENT ON COLUMN house_result.commission IS 'Charged for trades, less what was given back.';
COMMENT ON COLUMN house_result.provider_costs IS 'What payment providers have kept.';
COMMENT ON COLUMN house_result.negative_balances IS 'What clients were forgiven.';
COMMENT ON COLUMN house_result.result IS 'Sum of the sources before it.';
COMMENT ON COLUMN house_result.exchanged IS 'What clients have given the house in exchanges, less what they got, in this currency: what it holds, and not in result.';

CREATE MATERIALIZED VIEW client_activity AS
SELECT
    a.user_id,
    trading_day(o.created_at) AS trading_day,
    count(DISTINCT o.account_id) AS account_count,
    count(DISTINCT o.symbol) AS symbol_count,
    count(*) AS order_count,
    count(*) FILTER (WHERE o.status = 'filled') AS filled_count,
    count(*) FILTER (WHERE o.filled_quantity > 0 AND o.status <> 'filled') AS partly_filled_count,
    count(*) FILTER (WHERE o.status = 'rejected' AND o.refused_by = 'house') AS denied_count,
    count(*) FILTER (WHERE o.status = 'rejected' AND o.refused_by = 'provider') AS rejected_count,
    count(*) FILTER (WHERE o.filled_quantity = 0 AND o.status IN ('canceled', 'expired')) AS ended_count,
    count(*) FILTER (WHERE o.filled_quantity = 0 AND o.remaining_quantity > 0) AS live_count,
    count(*) FILTER (WHERE o.origin = 'stop_out') AS stop_out_count,
    min(o.created_at) AS first_order_at,
    max(o.created_at) AS last_order_at
FROM orders AS o
JOIN accounts AS a ON a.id = o.account_id
GROUP BY a.user_id, trading_day(o.created_at)
WITH NO DATA;
CREATE UNIQUE INDEX idx_client_activity_user_id_trading_day
    ON client_activity (user_id, trading_day);
CREATE INDEX idx_client_activity_trading_day
    ON client_activity (trading_day);
COMMENT ON MATERIALIZED VIEW client_activity IS 'Grain: one user and trading day (17:00 in New York) on which the order came by the server''s clock. What became of those orders since; counts only, no money.';
COMMENT ON COLUMN client_activity.partly_filled_count IS 'Filled in part, whether they still live or not.';
COMMENT ON COLUMN client_activity.denied_count IS 'Denied by us; rejected_count: by the liquidity provider.';
COMMENT ON COLUMN client_activity.ended_count IS 'Canceled or expired without a fill. It, the counts before it and live_count are all orders.';
COMMENT ON COLUMN client_activity.stop_out_count IS 'Of all, those by which the house closed positions.';

CREATE TABLE reporting_views (
    name text
        CONSTRAINT reporting_views_pkey PRIMARY KEY,
    age_max interval DEFAULT '2 hours'
        CONSTRAINT reporting_views_age_max_present NOT NULL
        CONSTRAINT reporting_views_age_max_in_range CHECK (age_max BETWEEN '1 minute' AND '30 days'),
    created_at timestamptz DEFAULT clock_timestamp()
        CONSTRAINT reporting_views_created_at_present NOT NULL
);
COMMENT ON TABLE reporting_views IS 'The materialized views that are refreshed, and how old each may be. A row is never deleted.';
COMMENT ON COLUMN reporting_views.age_max IS 'Older figures are overdue, and at twice this age people are told.';
CREATE TRIGGER reporting_views_are_kept
    BEFORE DELETE OR TRUNCATE ON reporting_views
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER reporting_views_keep_their_key
    BEFORE UPDATE OF name ON reporting_views
    FOR EACH ROW WHEN (OLD.name IS DISTINCT FROM NEW.name)
    EXECUTE FUNCTION refuse_new_key();
INSERT INTO reporting_views (name)
VALUES ('client_activity'), ('house_result'), ('payment_summary'), ('provider_summary'), ('trading_summary');

CREATE TABLE view_refreshes (
    id uuid DEFAULT uuidv7()
        CONSTRAINT view_refreshes_pkey PRIMARY KEY,
    view_name text
        CONSTRAINT view_refreshes_view_name_present NOT NULL
        CONSTRAINT view_refreshes_view_exists REFERENCES reporting_views (name) ON DELETE RESTRICT,
    started_at timestamptz
        CONSTRAINT view_refreshes_started_at_present NOT NULL,
    as_of timestamptz
        CONSTRAINT view_refreshes_as_of_after_started CHECK (as_of >= started_at),
    finished_at timestamptz DEFAULT clock_timestamp()
        CONSTRAINT view_refreshes_finished_at_present NOT NULL
        CONSTRAINT view_refreshes_finished_after_started CHECK (finished_at >= started_at),
    row_count bigint
        CONSTRAINT view_refreshes_row_count_not_negative CHECK (row_count >= 0),
    database_role text DEFAULT session_user
        CONSTRAINT view_refreshes_database_role_present NOT NULL,
    error_state text,
    error text,
    CONSTRAINT view_refreshes_succeeded_or_failed CHECK (
        num_nonnulls(as_of, row_count) = CASE WHEN error IS NULL THEN 2 ELSE 0 END
        AND (error IS NULL) = (error_state IS NULL)
    )
);
COMMENT ON TABLE view_refreshes IS 'Every refresh of a reporting view in ninety days and the last good one, written with its rows in one transaction, or with the error that left them as they were. Append-only.';
COMMENT ON COLUMN view_refreshes.started_at IS 'When its turn came; what another refresh made it wait is before.';
COMMENT ON COLUMN view_refreshes.as_of IS 'All that was committed before this instant is in the view, and nothing that was committed after the refresh began to read.';
COMMENT ON COLUMN view_refreshes.row_count IS 'Rows of the view then.';
COMMENT ON COLUMN view_refreshes.error_state IS 'SQLSTATE of what went wrong; the view shows what it showed before.';
CREATE INDEX idx_view_refreshes_view_name_finished_at
    ON view_refreshes (view_name, finished_at DESC);
CREATE INDEX idx_view_refreshes_view_name_as_of
    ON view_refreshes (view_name, as_of DESC)
    WHERE as_of IS NOT NULL;
CREATE TRIGGER view_refreshes_are_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON view_refreshes
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER view_refreshes_are_kept_ninety_days
    BEFORE DELETE ON view_refreshes
    FOR EACH ROW WHEN (OLD.finished_at > clock_timestamp() - interval '90 days')
    EXECUTE FUNCTION refuse_change();

CREATE VIEW reporting_view_states AS
SELECT
    v.name,
    v.age_max,
    r.as_of,
    clock_timestamp() - coalesce(r.as_of, v.created_at) AS age,
    clock_timestamp() - coalesce(r.as_of, v.created_at) > v.age_max AS is_overdue,
    clock_timestamp() - coalesce(r.as_of, v.created_at) > v.age_max * 2 AS is_long_overdue,
    coalesce(c.relispopulated, false) AND r.as_of IS NOT NULL AS is_filled,
    r.row_count,
    -- Of one that is being filled first the size cannot be asked for without waiting for that.
    CASE WHEN c.relispopulated THEN pg_total_relation_size(c.oid) END AS byte_count,
    r.finished_at - r.started_at AS last_took,
    CASE WHEN f.error IS NOT NULL THEN f.finished_at END AS failed_at,
    f.error
FROM reporting_views AS v
LEFT JOIN pg_class AS c ON c.oid = to_regclass(quote_ident(v.name)) AND c.relkind = 'm'
LEFT JOIN LATERAL (
    SELECT n.as_of, n.row_count, n.started_at, n.finished_at
    FROM view_refreshes AS n
    WHERE n.view_name = v.name AND n.as_of IS NOT NULL
    ORDER BY n.as_of DESC
    LIMIT 1
) AS r ON true
LEFT JOIN LATERAL (
    SELECT n.finished_at, n.error
    FROM view_refreshes AS n
    WHERE n.view_name = v.name
    ORDER BY n.finished_at DESC
    LIMIT 1
) AS f ON true;
COMMENT ON VIEW reporting_view_states IS 'Each reporting view as it stands: as of when its figures are, how old they are, whether that is too old, and what its last refresh failed of.';
COMMENT ON COLUMN reporting_view_states.age IS 'Of its figures; of a view that was never filled, since it was made.';

-- The rows and the record of how new they are change in one transaction, so neither is ever read without the
-- other: that is why it is a function of the owner, and not the right MAINTAIN (docs/decisions/059).
CREATE FUNCTION refresh_reporting_view(p_name text) RETURNS view_refreshes
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    v_asked_at timestamptz := clock_timestamp();
    v_done view_refreshes;
    v_is_filled boolean;
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION USING
            ERRCODE = 'TW076',
            MESSAGE = format('reporting view "%s" cannot be refreshed in this transaction', p_name),
            DETAIL = 'Its snapshot is older than the turn that a refresh waits for, so the figures would be older than they say.',
            HINT = 'Refresh it in a transaction that is READ COMMITTED.';
    END IF;
    IF NOT EXISTS (SELECT FROM reporting_views AS v WHERE v.name = p_name) THEN
        RAISE EXCEPTION USING
            ERRCODE = 'TW075',
            MESSAGE = format('there is no reporting view "%s"', p_name),
            DETAIL = 'The views that are refreshed stand in reporting_views.',
            HINT = 'Look at them with tradewright views list.';
    END IF;
    PERFORM take_turn('view/' || p_name);
    SELECT * INTO v_done
    FROM view_refreshes AS r
    WHERE r.view_name = p_name AND r.as_of >= v_asked_at
    ORDER BY r.as_of DESC
    LIMIT 1;
    IF FOUND THEN
        RETURN v_done;
    END IF;
    v_done.view_name := p_name;
    v_done.started_at := clock_timestamp();
    BEGIN
        SELECT c.relispopulated INTO v_is_filled FROM pg_class AS c WHERE c.oid = to_regclass(quote_ident(p_name));
        v_done.as_of := clock_timestamp();
        -- Nobody reads a view that was never filled, and CONCURRENTLY refuses it.
        EXECUTE format('REFRESH MATERIALIZED VIEW %s %I', CASE WHEN v_is_filled THEN 'CONCURRENTLY' ELSE '' END, p_name);
        EXECUTE format('SELECT count(*) FROM %I', p_name) INTO v_done.row_count;
    EXCEPTION WHEN query_canceled OR OTHERS THEN
        v_done.as_of := NULL;
        v_done.error_state := SQLSTATE;
        v_done.error := SQLERRM;
    END;
    INSERT INTO view_refreshes (view_name, started_at, as_of, row_count, error_state, error)
    VALUES (p_name, v_done.started_at, v_done.as_of, v_done.row_count, v_done.error_state, v_done.error)
    RETURNING * INTO v_done;
    IF v_done.error IS NULL THEN
        PERFORM end_alert('view_overdue', p_name);
    END IF;
    RETURN v_done;
END;
$$;
COMMENT ON FUNCTION refresh_reporting_view(text) IS 'Refreshes a reporting view beside its readers and records it; what fails is recorded and returned, and leaves the view as it was. Whoever waited while another refreshed it gets that refresh.';

-- It says as of when a view is, so the last good refresh stays however old it is. Nobody else may delete any, so it
-- runs with its owner's rights (docs/decisions/022).
CREATE FUNCTION prune_view_refreshes(p_rows_max integer DEFAULT 10000) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    v_count bigint;
BEGIN
    PERFORM set_config('app.pruned_table', 'view_refreshes', true);
    DELETE FROM view_refreshes AS r
    USING (
        SELECT o.id
        FROM view_refreshes AS o
        WHERE o.finished_at < clock_timestamp() - interval '90 days'
          AND EXISTS (
              SELECT FROM view_refreshes AS n
              WHERE n.view_name = o.view_name AND n.as_of IS NOT NULL AND n.finished_at > o.finished_at
          )
        ORDER BY o.finished_at
        LIMIT p_rows_max
    ) AS old
    WHERE r.id = old.id;
    GET DIAGNOSTICS v_count = ROW_COUNT;
    PERFORM set_config('app.pruned_table', '', true);
    RETURN v_count;
END;
$$;
COMMENT ON FUNCTION prune_view_refreshes(integer) IS 'Deletes refreshes of reporting views after ninety days, but the last good one of each, at most so many; returns how many.';

CREATE FUNCTION raise_overdue_views() RETURNS bigint
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    v record;
    v_count bigint := 0;
BEGIN
    FOR v IN SELECT s.name, s.as_of, s.age_max, s.is_long_overdue FROM reporting_view_states AS s ORDER BY s.name LOOP
        IF v.is_long_overdue THEN
            v_count := v_count + 1;
            PERFORM open_alert('warning', 'view_overdue', v.name, format(
                'reporting view %s %s, and may be %s old: see tradewright views list',
                v.name,
                coalesce('is as of ' || to_char(v.as_of AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI') || ' UTC', 'was never filled'),
                v.age_max
            ));
        ELSE
            PERFORM end_alert('view_overdue', v.name);
        END IF;
    END LOOP;
    RETURN v_count;
END;
$$;
COMMENT ON FUNCTION raise_overdue_views() IS 'Tells people of reporting views that are twice as old as they may be, and ends what is told of the others; returns how many are.';

-- What works on these views comes and goes with them; a job that is there has something to do.
INSERT INTO jobs (name, every, daily_at)
VALUES
    ('prune_view_refreshes', NULL, '02:15'),
    ('refresh_reporting_views', '1 hour', NULL),
    ('watch_reporting_views', '5 minutes', NULL);

SELECT grant_engine_rights();
