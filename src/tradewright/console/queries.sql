-- name: forbid_writing
-- Let the server refuse what a page would write, or let forms write again.
SELECT set_config('default_transaction_read_only', %(value)s, false);

-- name: waiting
-- Count what waits for a person.
SELECT
    (SELECT count(*) FROM alerts WHERE acknowledged_at IS NULL AND resolved_at IS NULL),
    (SELECT count(*) FROM payment_transactions WHERE status IN ('requires_approval', 'conflicted')),
    (SELECT count(*) FROM reconciliation_breaks WHERE closed_at IS NULL AND bucket <> 'timing'),
    (SELECT count(*) FROM reconciliation_breaks WHERE closed_at IS NULL AND bucket = 'timing'),
    (SELECT count(*) FROM margin_calls WHERE resolved_at IS NULL),
    (
        SELECT count(*)
        FROM provider_corrections AS c
        WHERE NOT EXISTS (
            SELECT
            FROM provider_correction_settlements AS s
            WHERE s.correction_id = c.id
        )
    );

-- name: covered_until
-- Read until when the audit log has partitions.
SELECT (max(month) + interval '1 month') AT TIME ZONE 'UTC'
FROM audit_months
WHERE is_attached;

-- name: open_alerts
-- Read the alerts that wait for somebody, the gravest first, then the newest.
SELECT a.id::text, a.severity, a.kind, a.what, a.raised_at
FROM alerts AS a
WHERE a.acknowledged_at IS NULL AND a.resolved_at IS NULL
ORDER BY array_position(ARRAY['critical', 'warning', 'info'], a.severity), a.id DESC
LIMIT %(count_max)s;

-- name: open_alert_counts
-- Count the alerts that wait for somebody, by how grave and of what kind they are.
SELECT a.severity, a.kind, count(*) AS count
FROM alerts AS a
WHERE a.acknowledged_at IS NULL AND a.resolved_at IS NULL
GROUP BY a.severity, a.kind
ORDER BY array_position(ARRAY['critical', 'warning', 'info'], a.severity), a.kind;

-- name: alerts
-- Read alerts, the newest first: those that wait for somebody, or all.
SELECT
    a.id::text,
    a.severity,
    a.kind,
    a.what,
    a.raised_at,
    a.acknowledged_by,
    a.acknowledged_at,
    a.resolved_at
FROM alerts AS a
WHERE (%(with_all)s OR (a.acknowledged_at IS NULL AND a.resolved_at IS NULL))
  AND (%(severity)s::text IS NULL OR a.severity = %(severity)s)
  AND (%(kind)s::text IS NULL OR a.kind = %(kind)s)
ORDER BY a.id DESC
LIMIT %(count_max)s OFFSET %(passed)s;

-- name: exposures
-- Read what the house holds of each symbol, its limit, the last price, and the hedge under way.
SELECT
    i.symbol,
    i.base_currency,
    i.quote_currency,
    coalesce(e.net, 0) AS net,
    p.exposure_limit,
    p.hedge_target,
    l.bid,
    l.ask,
    l.quoted_at,
    clock_timestamp() - l.quoted_at AS quote_age,
    i.price_tick,
    h.id::text AS hedge_id,
    h.side AS hedge_side,
    h.quantity AS hedge_quantity,
    h.filled_quantity AS hedge_filled,
    coalesce(b.net, 0) AS hedged
FROM instruments AS i
LEFT JOIN kept_exposures AS e ON e.symbol = i.symbol
LEFT JOIN routing_policies AS p ON p.symbol = i.symbol
LEFT JOIN last_prices AS l ON l.symbol = i.symbol
LEFT JOIN LATERAL (
    SELECT *
    FROM hedges AS w
    WHERE w.symbol = i.symbol AND w.status = 'open'
    ORDER BY w.id DESC
    LIMIT 1
) AS h ON true
LEFT JOIN LATERAL (
    SELECT f.position_quantity AS net
    FROM hedge_fills AS f
    WHERE f.symbol = i.symbol
    ORDER BY f.seq DESC
    LIMIT 1
) AS b ON true
WHERE i.is_tradable OR e.net <> 0
ORDER BY abs(coalesce(e.net, 0) / coalesce(p.exposure_limit, 1e30)) DESC, i.symbol
LIMIT 500;

-- name: hedges
-- Read the newest hedges of the house.
SELECT
    h.id::text,
    h.symbol,
    h.side,
    h.quantity,
    h.filled_quantity,
    h.status,
    h.exposure,
    h.exposure_limit,
    h.target,
    h.decided_at,
    i.base_currency
FROM hedges AS h
JOIN instruments AS i ON i.symbol = h.symbol
WHERE %(symbol)s::text IS NULL OR h.symbol = %(symbol)s
ORDER BY h.id DESC
LIMIT %(count_max)s OFFSET %(passed)s;

-- name: orders
-- Read orders of some days, the newest first.
-- Ids are in the order of time, so the key finds the days; the rows' own times say which it is.
SELECT
    o.id::text,
    o.created_at,
    o.account_id::text,
    u.email,
    o.user_id::text,
    o.symbol,
    i.price_tick,
    o.side,
    o.order_type,
    o.quantity,
    o.filled_quantity,
    o.average_price,
    o.limit_price,
    o.stop_price,
    o.status,
    o.refused_by,
    o.refusal_code,
    o.book
FROM (
    SELECT o.*, a.user_id
    FROM orders AS o
    JOIN accounts AS a ON a.id = o.account_id
    WHERE o.id BETWEEN %(first_id)s::uuid AND %(last_id)s::uuid
      AND o.created_at >= %(since)s::timestamptz
      AND o.created_at < %(until)s::timestamptz
      AND (%(symbol)s::text IS NULL OR o.symbol = %(symbol)s)
      AND (%(status)s::text IS NULL OR o.status = %(status)s)
      AND (%(side)s::text IS NULL OR o.side = %(side)s)
      AND (%(account_id)s::uuid IS NULL OR o.account_id = %(account_id)s::uuid)
      AND (%(user_id)s::uuid IS NULL OR a.user_id = %(user_id)s::uuid)
    ORDER BY o.id DESC
    LIMIT %(count_max)s OFFSET %(passed)s
) AS o
JOIN users AS u ON u.id = o.user_id
JOIN instruments AS i ON i.symbol = o.symbol
ORDER BY o.id DESC;

-- name: steps_of_order
-- Read the steps of an order, with what was written down of a refusal and of a stop that moved.
SELECT
    e.seq,
    e.event_type,
    e.from_status,
    e.to_status,
    e.quantity,
    e.price,
    e.actor,
    e.occurred_at,
    e.details ->> 'code' AS code,
    e.details ->> 'why' AS why,
    (e.details ->> 'stop_price')::numeric AS stop_price
FROM order_events AS e
WHERE e.order_id = %(order_id)s::uuid
ORDER BY e.seq
LIMIT %(count_max)s;

-- name: price_ticks
-- Read the smallest step of each symbol's price.
SELECT symbol, price_tick FROM instruments;

-- name: rankings_of_order
-- Read which levels an order could be passed on to, with their scores, each time that it was.
SELECT ranked_at, candidates
FROM routing_rankings
WHERE order_id = %(order_id)s::uuid
ORDER BY ranked_at, id
LIMIT 50;

-- name: decision_of_order
-- Read how a hybrid order was divided.
SELECT decided_at, reason, a_percent, a_quantity, b_quantity, inputs, candidates
FROM routing_decisions
WHERE order_id = %(order_id)s::uuid;

-- name: fills_of_order
-- Read the fills of an order with their providers, in the parts that they had for its positions.
SELECT
    f.id::text,
    f.executed_at,
    f.quoted_at,
    coalesce(abs(t.quantity), f.quantity) AS quantity,
    f.price,
    p.code,
    f.provider_execution_id,
    f.is_maker,
    t.position_id::text,
    t.effect,
    t.realised_pnl,
    t.commission
FROM order_fills AS f
LEFT JOIN liquidity_providers AS p ON p.id = f.provider_id
LEFT JOIN trades AS t ON t.fill_id = f.id
WHERE f.order_id = %(order_id)s::uuid
ORDER BY f.executed_at, f.id
LIMIT 500;

-- name: providers
-- Read the liquidity providers with what they answered in the last hours and what is open with them.
SELECT
    p.id::text,
    p.code,
    p.priority,
    p.is_enabled,
    p.fee_bps,
    r.asked,
    r.accepted,
    r.answer_ms,
    r.last_at,
    (
        SELECT count(*)
        FROM unsolicited_fills AS u
        WHERE u.provider_id = p.id
          AND NOT EXISTS (SELECT FROM unsolicited_fill_resolutions AS s WHERE s.fill_id = u.id)
    ) AS unsolicited,
    (
        SELECT count(*)
        FROM provider_corrections AS c
        WHERE c.provider_id = p.id
          AND NOT EXISTS (SELECT FROM provider_correction_settlements AS s WHERE s.correction_id = c.id)
    ) AS corrections,
    (
        SELECT count(*)
        FROM provider_trade_breaks AS b
        WHERE b.provider_id = p.id AND b.closed_at IS NULL
    ) AS breaks
FROM liquidity_providers AS p
LEFT JOIN LATERAL (
    SELECT
        count(*) AS asked,
        count(*) FILTER (WHERE l.is_accepted) AS accepted,
        avg(extract(epoch FROM l.decided_at - l.requested_at) * 1000)::numeric(20, 1) AS answer_ms,
        max(l.decided_at) AS last_at
    FROM (
        SELECT q.*
        FROM provider_requests AS q
        WHERE q.provider_id = p.id
        ORDER BY q.requested_at DESC
        LIMIT 500
    ) AS l
) AS r ON true
ORDER BY p.priority, p.code;

-- name: provider_lines
-- Read the connections of providers over FIX, and when their last messages were kept.
SELECT
    p.code,
    c.purpose,
    c.host,
    c.port,
    c.uses_tls,
    c.sender_comp_id,
    c.target_comp_id,
    s.began_at,
    heard.kept_at AS heard_at,
    sent.kept_at AS sent_at
FROM provider_connections AS c
JOIN liquidity_providers AS p ON p.id = c.provider_id
LEFT JOIN LATERAL (
    SELECT f.id, f.began_at
    FROM fix_sessions AS f
    WHERE f.provider_id = c.provider_id
      AND f.sender_comp_id = c.sender_comp_id
      AND f.target_comp_id = c.target_comp_id
    ORDER BY f.id DESC
    LIMIT 1
) AS s ON true
LEFT JOIN LATERAL (
    SELECT m.kept_at
    FROM fix_messages AS m
    WHERE m.session_id = s.id AND m.direction = 'in'
    ORDER BY m.seq DESC
    LIMIT 1
) AS heard ON true
LEFT JOIN LATERAL (
    SELECT m.kept_at
    FROM fix_messages AS m
    WHERE m.session_id = s.id AND m.direction = 'out'
    ORDER BY m.seq DESC
    LIMIT 1
) AS sent ON true
ORDER BY p.code, c.purpose;

-- name: past_halts
-- Read the halts that were lifted last.
SELECT
    mode,
    scope,
    coalesce(group_code, account_id::text, symbol) AS target,
    set_by,
    reason,
    set_at,
    lifted_by,
    lifted_reason,
    lifted_at
FROM trading_halts
WHERE lifted_at IS NOT NULL
ORDER BY lifted_at DESC, id DESC
LIMIT %(count_max)s;

-- name: accounts_with_positions
-- Read the accounts that hold something, with the levels at which they are called and closed.
SELECT
    a.id::text,
    a.user_id::text,
    u.email,
    a.group_code,
    a.currency,
    a.leverage,
    a.balance,
    a.credit,
    a.status,
    a.margin_call_level,
    a.stop_out_level,
    g.regime
FROM accounts AS a
JOIN users AS u ON u.id = a.user_id
JOIN account_groups AS g ON g.code = a.group_code
WHERE EXISTS (SELECT FROM positions AS p WHERE p.account_id = a.id AND p.is_open)
ORDER BY a.id
LIMIT %(count_max)s;

-- name: margin_calls
-- Read margin calls, those that are open first, then the newest.
WITH listed AS (
    (SELECT * FROM margin_calls WHERE resolved_at IS NULL)
    UNION ALL
    (
        SELECT *
        FROM margin_calls
        WHERE resolved_at IS NOT NULL
        ORDER BY id DESC
        LIMIT %(count_max)s + %(passed)s
    )
)
SELECT
    c.id::text,
    c.account_id::text,
    u.email,
    a.user_id::text,
    a.currency,
    c.margin_level,
    c.equity,
    c.used_margin,
    c.opened_at,
    c.resolved_at
FROM listed AS c
JOIN accounts AS a ON a.id = c.account_id
JOIN users AS u ON u.id = a.user_id
ORDER BY c.resolved_at IS NOT NULL, c.id DESC
LIMIT %(count_max)s OFFSET %(passed)s;

-- name: stop_outs
-- Read the newest stop-outs.
SELECT
    s.id::text,
    s.account_id::text,
    u.email,
    a.user_id::text,
    a.currency,
    s.margin_level,
    s.equity,
    s.used_margin,
    s.orders_canceled,
    s.positions_closed,
    s.forgiven,
    s.occurred_at
FROM stop_outs AS s
JOIN accounts AS a ON a.id = s.account_id
JOIN users AS u ON u.id = a.user_id
ORDER BY s.id DESC
LIMIT %(count_max)s OFFSET %(passed)s;

-- name: regime_of_account
-- Read under whose rules an account trades.
SELECT g.regime
FROM accounts AS a
JOIN account_groups AS g ON g.code = a.group_code
WHERE a.id = %(account_id)s::uuid;

-- name: margin_history
-- Read when an account was called, when that was over, and when it was stopped out, the newest first.
SELECT h.at, h.what, h.margin_level, h.equity, h.used_margin, h.closed, h.canceled, h.forgiven
FROM (
    SELECT c.opened_at AS at, 'margin call' AS what, c.margin_level, c.equity, c.used_margin,
        NULL::integer AS closed, NULL::integer AS canceled, NULL::numeric AS forgiven
    FROM margin_calls AS c
    WHERE c.account_id = %(account_id)s::uuid
    UNION ALL
    SELECT c.resolved_at, 'call over', NULL, NULL, NULL, NULL, NULL, NULL
    FROM margin_calls AS c
    WHERE c.account_id = %(account_id)s::uuid AND c.resolved_at IS NOT NULL
    UNION ALL
    SELECT s.occurred_at, 'stop-out', s.margin_level, s.equity, s.used_margin,
        s.positions_closed, s.orders_canceled, s.forgiven
    FROM stop_outs AS s
    WHERE s.account_id = %(account_id)s::uuid
) AS h
ORDER BY h.at DESC
LIMIT %(count_max)s;

-- name: breaker_events
-- Read the newest events of circuit breakers.
SELECT b.code, b.currency, e.from_state, e.to_state, e.actor, e.reason, e.measured, e.market_at, e.occurred_at
FROM circuit_breaker_events AS e
JOIN circuit_breakers AS b ON b.id = e.breaker_id
ORDER BY e.id DESC
LIMIT %(count_max)s OFFSET %(passed)s;

-- name: breaches
-- Read the newest orders that a limit has denied; money is in the account's currency.
SELECT
    b.occurred_at,
    l.kind,
    l.scope,
    coalesce(l.group_code, l.account_id::text, l.symbol) AS target,
    o.id::text AS order_id,
    o.account_id::text,
    a.currency,
    o.symbol,
    o.client_order_id,
    b.limit_value,
    b.measured
FROM risk_breaches AS b
JOIN risk_limits AS l ON l.id = b.limit_id
JOIN orders AS o ON o.id = b.order_id
JOIN accounts AS a ON a.id = o.account_id
ORDER BY b.id DESC
LIMIT %(count_max)s OFFSET %(passed)s;

-- name: payments_waiting
-- Read the payments that wait for an officer, the oldest first.
SELECT
    p.id::text,
    p.created_at,
    p.user_id::text,
    u.email,
    p.kind,
    p.amount,
    p.currency,
    p.provider,
    p.reference,
    p.status,
    p.failure_reason,
    f.risk_score,
    f.risk_level
FROM payment_transactions AS p
JOIN users AS u ON u.id = p.user_id
LEFT JOIN LATERAL (
    SELECT c.risk_score, c.risk_level
    FROM fraud_checks AS c
    WHERE c.payment_id = p.id
    ORDER BY c.created_at DESC
    LIMIT 1
) AS f ON true
WHERE p.status IN ('requires_approval', 'conflicted')
ORDER BY p.created_at, p.id
LIMIT %(count_max)s OFFSET %(passed)s;

-- name: payments
-- Read payments, the newest first.
SELECT
    p.id::text,
    p.created_at,
    p.user_id::text,
    u.email,
    p.kind,
    p.amount,
    p.currency,
    p.provider,
    p.reference,
    p.status,
    p.failure_reason,
    f.risk_score,
    f.risk_level
FROM payment_transactions AS p
JOIN users AS u ON u.id = p.user_id
LEFT JOIN LATERAL (
    SELECT c.risk_score, c.risk_level
    FROM fraud_checks AS c
    WHERE c.payment_id = p.id
    ORDER BY c.created_at DESC
    LIMIT 1
) AS f ON true
WHERE (%(status)s::text IS NULL OR p.status = %(status)s)
  AND (%(kind)s::text IS NULL OR p.kind = %(kind)s)
  AND (%(user_id)s::uuid IS NULL OR p.user_id = %(user_id)s::uuid)
ORDER BY p.created_at DESC, p.id DESC
LIMIT %(count_max)s OFFSET %(passed)s;

-- name: what_is_named
-- Read of what an id is: its page's part of the address; a position leads to its account.
SELECT kind, id::text
FROM (
    SELECT 'orders' AS kind, o.id FROM orders AS o WHERE o.id = %(id)s::uuid
    UNION ALL
    SELECT 'accounts', a.id FROM accounts AS a WHERE a.id = %(id)s::uuid
    UNION ALL
    SELECT 'clients', u.id FROM users AS u WHERE u.id = %(id)s::uuid
    UNION ALL
    SELECT 'payments', p.id FROM payment_transactions AS p WHERE p.id = %(id)s::uuid
    UNION ALL
    SELECT 'accounts', p.account_id FROM positions AS p WHERE p.id = %(id)s::uuid
) AS named
LIMIT 1;

-- name: backup_terms_held
-- Read what is declared of backups, since when and by whom, and when the last good one ended.
SELECT
    t.kind,
    t.within,
    t.actor,
    t.reason,
    t.declared_at,
    b.last_at,
    clock_timestamp() - greatest(t.declared_at, b.last_at) > t.within AS is_overdue
FROM (SELECT DISTINCT ON (kind) * FROM backup_terms ORDER BY kind, seq DESC) AS t
LEFT JOIN LATERAL (
    SELECT max(r.finished_at) AS last_at
    FROM backup_runs AS r
    WHERE r.outcome = 'succeeded' AND (r.kind = 'drill') = (t.kind = 'drill')
) AS b ON t.kind IN ('backup', 'drill')
WHERE t.within IS NOT NULL
ORDER BY t.kind;

-- name: receivables
-- Read what clients owe and have not paid back, the oldest first.
SELECT
    r.id::text,
    r.user_id::text,
    u.email,
    r.currency,
    r.amount,
    r.remaining,
    r.payment_id::text,
    r.created_at
FROM receivables AS r
JOIN users AS u ON u.id = r.user_id
WHERE r.remaining > 0
ORDER BY r.id
LIMIT %(count_max)s OFFSET %(passed)s;

-- name: search_users
-- Find users by an id of theirs, an account, an order or a payment, or by a part of the e-mail address.
SELECT
    u.id::text,
    u.email,
    u.client_class,
    u.kyc_level,
    u.status,
    ARRAY(SELECT r.role FROM user_roles AS r WHERE r.user_id = u.id ORDER BY r.role) AS roles,
    u.created_at,
    (SELECT count(*) FROM accounts AS a WHERE a.user_id = u.id) AS accounts
FROM users AS u
WHERE
    CASE
        WHEN %(id)s::uuid IS NOT NULL THEN u.id IN (
            SELECT %(id)s::uuid
            UNION ALL
            SELECT a.user_id FROM accounts AS a WHERE a.id = %(id)s::uuid
            UNION ALL
            SELECT a.user_id
            FROM orders AS o
            JOIN accounts AS a ON a.id = o.account_id
            WHERE o.id = %(id)s::uuid
            UNION ALL
            SELECT p.user_id FROM payment_transactions AS p WHERE p.id = %(id)s::uuid
        )
        ELSE strpos(u.email, lower(%(text)s::text)) > 0
    END
ORDER BY u.id DESC
LIMIT %(count_max)s OFFSET %(passed)s;

-- name: changes
-- Read who changed what in a time, the newest first; the key finds the time, as that of `orders`.
SELECT created_at, seq, actor, database_role, table_name, row_id::text, action, reason, changes
FROM audit_log
WHERE id BETWEEN %(first_id)s::uuid AND %(last_id)s::uuid
  AND created_at >= %(since)s::timestamptz
  AND created_at < %(until)s::timestamptz
  AND (%(actor)s::text IS NULL OR actor = %(actor)s)
  AND (%(table_name)s::text IS NULL OR table_name = %(table_name)s)
ORDER BY id DESC
LIMIT %(count_max)s OFFSET %(passed)s;

-- name: archived_months
-- Read which months of a time are archived, so that their changes are not shown.
SELECT to_char(month, 'YYYY-MM') AS month
FROM audit_months_away
WHERE (month + interval '1 month') AT TIME ZONE 'UTC' > %(since)s::timestamptz
  AND (month + interval '0 months') AT TIME ZONE 'UTC' < %(until)s::timestamptz
ORDER BY month;

-- name: seals
-- Read the newest seals of the audit log.
SELECT seq, row_count, from_txid, to_txid, encode(head, 'hex') AS head, sealed_at
FROM audit_seals
ORDER BY seq DESC
LIMIT %(count_max)s;

-- name: trade_lists
-- Read the lists of trades that were taken in from providers last.
SELECT
    p.code,
    l.traded_on,
    l.imported_at,
    (SELECT count(*) FROM provider_trades AS t WHERE t.list_id = l.id) AS trades
FROM provider_trade_lists AS l
JOIN liquidity_providers AS p ON p.id = l.provider_id
ORDER BY l.id DESC
LIMIT %(count_max)s;

-- name: settings_instruments
-- Read what is traded on what terms, since when and by whom.
SELECT to_jsonb(s) AS facts, s.updated_at AS since, c.actor, c.reason
FROM instruments AS s
LEFT JOIN LATERAL last_change_of(s.id, s.updated_at) AS c ON true
ORDER BY s.symbol
LIMIT %(count_max)s OFFSET %(passed)s;

-- name: settings_groups
-- Read the groups of accounts, since when they are so and by whom.
SELECT to_jsonb(s) AS facts, s.updated_at AS since, c.actor, c.reason
FROM account_groups AS s
LEFT JOIN LATERAL last_change_of(s.id, s.updated_at) AS c ON true
ORDER BY s.code
LIMIT %(count_max)s OFFSET %(passed)s;

-- name: settings_limits
-- Read the limits that hold, since when and by whom.
SELECT to_jsonb(s) AS facts, s.updated_at AS since, c.actor, c.reason
FROM risk_limits AS s
LEFT JOIN LATERAL last_change_of(s.id, s.updated_at) AS c ON true
WHERE s.is_active
ORDER BY s.kind, s.scope, s.id
LIMIT %(count_max)s OFFSET %(passed)s;

-- name: settings_policies
-- Read how each symbol is routed, since when and by whom.
SELECT to_jsonb(s) AS facts, s.updated_at AS since, c.actor, c.reason
FROM routing_policies AS s
LEFT JOIN LATERAL last_change_of(s.id, s.updated_at) AS c ON true
ORDER BY s.symbol
LIMIT %(count_max)s OFFSET %(passed)s;

-- name: settings_rules
-- Read the rules of routing in their order, since when they are so and by whom.
SELECT to_jsonb(s) AS facts, s.updated_at AS since, c.actor, c.reason
FROM routing_rules AS s
LEFT JOIN LATERAL last_change_of(s.id, s.updated_at) AS c ON true
ORDER BY s.priority, s.id
LIMIT %(count_max)s OFFSET %(passed)s;

-- name: settings_fees
-- Read what clients are charged for dealing, since when and by whom.
SELECT to_jsonb(s) AS facts, s.updated_at AS since, c.actor, c.reason
FROM commission_terms AS s
LEFT JOIN LATERAL last_change_of(s.id, s.updated_at) AS c ON true
ORDER BY s.group_code, s.symbol, s.id
LIMIT %(count_max)s OFFSET %(passed)s;

-- name: settings_payments
-- Read what users may pay at most, since when and by whom.
SELECT to_jsonb(s) AS facts, s.updated_at AS since, c.actor, c.reason
FROM payment_limits AS s
LEFT JOIN LATERAL last_change_of(s.id, s.updated_at) AS c ON true
ORDER BY s.kyc_level, s.kind
LIMIT %(count_max)s OFFSET %(passed)s;

-- name: settings_breakers
-- Read the circuit breakers, since when there are such and by whom: their terms are fixed.
SELECT to_jsonb(s) AS facts, s.created_at AS since, e.actor, e.reason
FROM circuit_breakers AS s
LEFT JOIN LATERAL (
    SELECT f.actor, f.reason
    FROM circuit_breaker_events AS f
    WHERE f.breaker_id = s.id
    ORDER BY f.seq
    LIMIT 1
) AS e ON true
ORDER BY s.code
LIMIT %(count_max)s OFFSET %(passed)s;

-- name: settings_swaps
-- Read what holding an instrument over the rollover costs, what is to hold next first.
SELECT
    to_jsonb(s) || jsonb_build_object(
        'state',
        CASE
            WHEN s.effective_on > (clock_timestamp() AT TIME ZONE 'UTC')::date THEN 'to come'
            WHEN EXISTS (
                SELECT
                FROM swap_terms AS l
                WHERE l.symbol = s.symbol
                  AND l.effective_on > s.effective_on
                  AND l.effective_on <= (clock_timestamp() AT TIME ZONE 'UTC')::date
            ) THEN 'past'
            ELSE 'in force'
        END
    ) AS facts,
    s.created_at AS since,
    NULL::text AS actor,
    NULL::text AS reason
FROM swap_terms AS s
ORDER BY s.symbol, s.effective_on DESC
LIMIT %(count_max)s OFFSET %(passed)s;

-- name: settings_tiers
-- Read what large positions bind, since when and by whom.
SELECT to_jsonb(s) AS facts, s.updated_at AS since, c.actor, c.reason
FROM margin_tiers AS s
LEFT JOIN LATERAL last_change_of(s.id, s.updated_at) AS c ON true
ORDER BY s.symbol, s.notional_above
LIMIT %(count_max)s OFFSET %(passed)s;

-- name: settings_sessions
-- Read when each symbol is traded, since when that holds and by whom.
SELECT to_jsonb(s) AS facts, s.updated_at AS since, c.actor, c.reason
FROM trading_sessions AS s
LEFT JOIN LATERAL last_change_of(s.id, s.updated_at) AS c ON true
ORDER BY s.symbol, s.opens_weekday, s.opens_at
LIMIT %(count_max)s OFFSET %(passed)s;
