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

-- name: lift_halt
-- Resume trading.
UPDATE trading_halts
SET lifted_at = clock_timestamp(), lifted_by = %(actor)s, lifted_reason = %(reason)s
WHERE lifted_at IS NULL
  AND scope = %(scope)s
  AND coalesce(group_code, account_id::text, symbol) IS NOT DISTINCT FROM %(target)s
RETURNING id::text;
