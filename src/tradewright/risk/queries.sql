-- name: limits
-- Read every limit that is set.
SELECT id::text, kind, scope, coalesce(group_code, account_id::text, symbol), value, currency
FROM risk_limits
WHERE is_active
ORDER BY kind, scope, 4;

-- name: set_limit
-- Set a limit, or change the one that is set for the same.
INSERT INTO risk_limits (kind, scope, group_code, account_id, symbol, value, currency)
VALUES (
    %(kind)s,
    %(scope)s,
    CASE WHEN %(scope)s = 'group' THEN %(target)s END,
    CASE WHEN %(scope)s = 'account' THEN %(target)s END::uuid,
    CASE WHEN %(scope)s = 'instrument' THEN %(target)s END,
    %(value)s,
    %(currency)s
)
ON CONFLICT ON CONSTRAINT risk_limits_set_once DO UPDATE
SET value = excluded.value, currency = excluded.currency, is_active = true
RETURNING id::text;

-- name: clear_limit
-- Let a limit hold no longer.
UPDATE risk_limits
SET is_active = false
WHERE is_active
  AND kind = %(kind)s
  AND scope = %(scope)s
  AND coalesce(group_code, account_id::text, symbol) IS NOT DISTINCT FROM %(target)s
RETURNING id::text;

-- name: breaches
-- Read the newest denials by a limit.
SELECT
    b.occurred_at,
    l.kind,
    l.scope,
    coalesce(l.group_code, l.account_id::text, l.symbol) AS target,
    o.account_id::text,
    o.symbol,
    o.client_order_id,
    b.limit_value,
    b.measured
FROM risk_breaches AS b
JOIN risk_limits AS l ON l.id = b.limit_id
JOIN orders AS o ON o.id = b.order_id
ORDER BY b.id DESC
LIMIT %(count_max)s;

-- name: halts
-- Read every halt in force.
SELECT mode, scope, coalesce(group_code, account_id::text, symbol), set_by, reason, set_at
FROM trading_halts
WHERE lifted_at IS NULL
ORDER BY set_at, id;

-- name: set_halt
-- Halt trading, unless it is halted for the same already.
INSERT INTO trading_halts (mode, scope, group_code, account_id, symbol, set_by, reason)
VALUES (
    %(mode)s,
    %(scope)s,
    CASE WHEN %(scope)s = 'group' THEN %(target)s END,
    CASE WHEN %(scope)s = 'account' THEN %(target)s END::uuid,
    CASE WHEN %(scope)s = 'instrument' THEN %(target)s END,
    %(actor)s,
    %(reason)s
);

-- name: end_reduce_only
-- Let a kill take the place of a reduce-only for the same.
UPDATE trading_halts
SET lifted_at = clock_timestamp(), lifted_by = %(actor)s, lifted_reason = %(reason)s
WHERE lifted_at IS NULL
  AND mode = 'reduce_only'
  AND scope = %(scope)s
  AND coalesce(group_code, account_id::text, symbol) IS NOT DISTINCT FROM %(target)s;

-- name: block_denied_accounts
-- Let accounts only reduce of which limits have denied too many orders.
SELECT block_denied_accounts(%(account_ids)s::uuid[])::text;

-- name: lift_halt
-- Resume trading.
UPDATE trading_halts
SET lifted_at = clock_timestamp(), lifted_by = %(actor)s, lifted_reason = %(reason)s
WHERE lifted_at IS NULL
  AND scope = %(scope)s
  AND coalesce(group_code, account_id::text, symbol) IS NOT DISTINCT FROM %(target)s
RETURNING id::text;

-- name: breakers
-- Read every circuit breaker with the state of its last event.
SELECT
    b.id::text,
    b.code,
    b.kind,
    b.symbol,
    b.threshold,
    b.currency,
    b.window_seconds,
    b.reset_seconds,
    b.cooldown_seconds,
    last.seq,
    last.to_state,
    last.market_at,
    last.reason
FROM circuit_breakers AS b
CROSS JOIN LATERAL (
    SELECT e.seq, e.to_state, e.market_at, e.reason
    FROM circuit_breaker_events AS e
    WHERE e.breaker_id = b.id
    ORDER BY e.seq DESC
    LIMIT 1
) AS last
ORDER BY b.code;

-- name: add_breaker
-- Set a circuit breaker up, armed.
WITH breaker AS (
    INSERT INTO circuit_breakers (
        code, kind, symbol, threshold, currency, window_seconds, reset_seconds, cooldown_seconds
    )
    VALUES (
        %(code)s, %(kind)s, %(symbol)s, %(threshold)s, %(currency)s, %(window_seconds)s,
        %(reset_seconds)s, %(cooldown_seconds)s
    )
    RETURNING id
)
INSERT INTO circuit_breaker_events (breaker_id, seq, to_state, actor, reason)
SELECT id, 1, 'armed', %(actor)s, %(reason)s
FROM breaker;

-- name: move_breaker
-- Write the next event of a circuit breaker, unless somebody has moved it meanwhile.
-- Any conflict counts: with one constraint named, whoever comes at the very same moment passes the look
-- at that one and then fails at the other, which says the same with the state.
INSERT INTO circuit_breaker_events (
    breaker_id, seq, previous_seq, from_state, to_state, actor, reason, measured, market_at
)
VALUES (
    %(breaker_id)s,
    %(seq)s + 1,
    %(seq)s,
    %(from_state)s,
    %(to_state)s,
    %(actor)s,
    %(reason)s,
    %(measured)s,
    %(market_at)s
)
ON CONFLICT DO NOTHING
RETURNING id::text;

-- name: alerts
-- Read the newest alerts, those that wait for somebody or all of them.
SELECT id::text, severity, kind, what, raised_at, acknowledged_by, acknowledged_at, resolved_at
FROM alerts
WHERE (acknowledged_at IS NULL AND resolved_at IS NULL) OR %(with_acknowledged)s
ORDER BY id DESC
LIMIT %(count_max)s;

-- name: alert
-- Read one alert.
SELECT id::text, severity, kind, what, raised_at, acknowledged_by, acknowledged_at, resolved_at
FROM alerts
WHERE id = %(id)s::uuid;

-- name: acknowledge_alerts
-- Note who has seen alerts.
UPDATE alerts
SET acknowledged_by = %(actor)s, acknowledged_at = clock_timestamp()
WHERE id = ANY(%(ids)s::uuid[]) AND acknowledged_at IS NULL
RETURNING id::text;
