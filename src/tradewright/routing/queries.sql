-- name: routing_policies
-- Read the policy of every symbol that has one.
SELECT
    symbol,
    default_percent,
    toxicity_from,
    toxicity_full,
    size_from,
    size_full,
    exposure_from,
    exposure_full,
    volatility_from,
    volatility_full,
    exposure_limit,
    hedge_target,
    revision,
    short_hold_bps,
    win_bps,
    reject_prone_bps
FROM routing_policies;

-- name: routing_rules
-- Read every enabled rule.
SELECT
    id::text,
    priority,
    a_percent,
    symbol,
    user_id::text,
    client_class,
    quantity_min,
    quantity_max,
    revision
FROM routing_rules
WHERE is_enabled;

-- name: routing_overrides
-- Read every override that is in force.
SELECT id::text, kind, a_percent, symbol, user_id::text
FROM routing_overrides
WHERE lifted_at IS NULL;

-- name: lock_policy
-- Let one change of a symbol's policy wait for another.
SELECT symbol
FROM routing_policies
WHERE symbol = %(symbol)s
FOR NO KEY UPDATE;

-- name: set_policy
-- Write a symbol's policy, in place of the one before it.
INSERT INTO routing_policies (
    symbol, default_percent, toxicity_from, toxicity_full, size_from, size_full, exposure_from,
    exposure_full, volatility_from, volatility_full, exposure_limit, hedge_target, short_hold_bps,
    win_bps, reject_prone_bps
)
VALUES (
    %(symbol)s, %(default_percent)s, %(toxicity_from)s, %(toxicity_full)s, %(size_from)s,
    %(size_full)s, %(exposure_from)s, %(exposure_full)s, %(volatility_from)s, %(volatility_full)s,
    %(exposure_limit)s, %(hedge_target)s, %(short_hold_bps)s, %(win_bps)s, %(reject_prone_bps)s
)
ON CONFLICT (symbol) DO UPDATE SET
    default_percent = excluded.default_percent,
    toxicity_from = excluded.toxicity_from,
    toxicity_full = excluded.toxicity_full,
    size_from = excluded.size_from,
    size_full = excluded.size_full,
    exposure_from = excluded.exposure_from,
    exposure_full = excluded.exposure_full,
    volatility_from = excluded.volatility_from,
    volatility_full = excluded.volatility_full,
    exposure_limit = excluded.exposure_limit,
    hedge_target = excluded.hedge_target,
    short_hold_bps = excluded.short_hold_bps,
    win_bps = excluded.win_bps,
    reject_prone_bps = excluded.reject_prone_bps;

-- name: add_rule
-- Add a rule.
INSERT INTO routing_rules (
    priority, symbol, user_id, client_class, quantity_min, quantity_max, a_percent
)
VALUES (
    %(priority)s, %(symbol)s, %(user_id)s, %(client_class)s, %(quantity_min)s, %(quantity_max)s,
    %(a_percent)s
)
RETURNING id::text;

-- name: disable_rule
-- Disable a rule; it is kept, because decisions refer to it.
UPDATE routing_rules
SET is_enabled = false
WHERE id = %(id)s AND is_enabled
RETURNING id::text;

-- name: add_override
-- Write what a dealer orders for now.
INSERT INTO routing_overrides (kind, symbol, user_id, a_percent, actor, reason)
VALUES (%(kind)s, %(symbol)s, %(user_id)s, %(a_percent)s, %(actor)s, %(reason)s)
RETURNING id::text;

-- name: lift_override
-- Lift an override that is in force.
UPDATE routing_overrides
SET lifted_at = clock_timestamp()
WHERE id = %(id)s AND lifted_at IS NULL
RETURNING id::text;

-- name: client_profile
-- Read what has been measured of a user, zero where nothing has.
SELECT
    coalesce(p.trade_count, 0),
    coalesce(p.markout_1s_bps, 0),
    coalesce(p.markout_10s_bps, 0),
    coalesce(p.markout_60s_bps, 0),
    coalesce(p.closing_count, 0),
    coalesce(p.short_hold_share, 0),
    coalesce(p.win_share, 0),
    coalesce(p.arrival_count, 0),
    coalesce(p.reject_prone_share, 0)
FROM users AS u
LEFT JOIN client_profiles AS p ON p.user_id = u.id
WHERE u.id = %(user_id)s;

-- name: set_book
-- Set the book of an account.
UPDATE accounts
SET book = %(book)s
WHERE id = %(account_id)s
RETURNING id::text;
