-- name: open_engine_login
-- Make the login of the engines, who may do what the application may and no more.
CREATE ROLE soak_engine LOGIN PASSWORD 'soak' IN ROLE tradewright_app;

-- name: positions_held
-- Read what is open in an account, the oldest first.
SELECT
    p.id::text,
    p.symbol,
    p.quantity
FROM positions AS p
WHERE p.account_id = %(account_id)s AND p.is_open
ORDER BY p.id;

-- name: kept_correction
-- Find what a provider has told under a key of the soak's.
SELECT c.id::text
FROM provider_corrections AS c
WHERE c.execution_id = %(key)s;

-- name: keep_correction
-- Keep a bust of one of the last executions, or another price for it, as a gateway would.
INSERT INTO provider_corrections (provider_id, kind, execution_id, refers_to, price)
SELECT
    f.provider_id,
    %(kind)s,
    %(key)s,
    f.provider_execution_id,
    CASE WHEN %(kind)s = 'correction' THEN f.price + %(ticks)s * i.price_tick END
FROM order_fills AS f
JOIN orders AS o ON o.id = f.order_id
JOIN instruments AS i ON i.symbol = o.symbol
WHERE f.provider_execution_id IS NOT NULL
ORDER BY f.id DESC
LIMIT 1 OFFSET %(back)s
RETURNING id::text;

-- name: recorded_accounts
-- Read each account with its currency, the minor units of that, and how its fills make positions.
SELECT
    a.id::text,
    a.currency,
    c.minor_units,
    g.position_mode
FROM accounts AS a
JOIN currencies AS c ON c.code = a.currency
JOIN account_groups AS g ON g.code = a.group_code;

-- name: recorded_orders
-- Read every order as it stands.
SELECT
    o.id::text,
    o.account_id::text,
    o.client_order_id,
    o.symbol,
    o.side,
    o.origin,
    o.quantity,
    o.filled_quantity,
    o.remaining_quantity,
    o.average_price,
    o.status,
    o.is_routed,
    o.version,
    o.is_reduce_only,
    c.position_id::text,
    o.is_post_only,
    o.limit_price,
    o.stop_price,
    o.stop_loss,
    o.take_profit
FROM orders AS o
LEFT JOIN closing_orders AS c ON c.order_id = o.id
ORDER BY o.id;

-- name: recorded_events
-- Read every step of every order, by order and sequence.
SELECT
    e.order_id::text,
    e.seq,
    e.event_type,
    e.from_status,
    e.to_status,
    e.quantity,
    e.price,
    (e.details ->> 'quantity')::numeric,
    (e.details -> 'was' ->> 'quantity')::numeric,
    (e.details ->> 'limit_price')::numeric,
    (e.details -> 'was' ->> 'limit_price')::numeric,
    (e.details ->> 'stop_price')::numeric,
    (e.details -> 'was' ->> 'stop_price')::numeric
FROM order_events AS e
ORDER BY e.order_id, e.seq;

-- name: recorded_replacements
-- Read every replacement of an order with what it asked for.
SELECT
    r.account_id::text,
    r.key,
    r.order_id::text,
    r.order_version,
    r.quantity
FROM order_replacements AS r;

-- name: recorded_fills
-- Read every fill in the order in which they were made.
SELECT
    f.id::text,
    f.order_id::text,
    f.quantity,
    f.price,
    l.code,
    f.provider_execution_id,
    f.is_maker
FROM order_fills AS f
JOIN liquidity_providers AS l ON l.id = f.provider_id
ORDER BY f.id;

-- name: recorded_trades
-- Read every trade in the order in which they were made.
SELECT
    t.id::text,
    t.account_id::text,
    t.fill_id::text,
    t.close_by_id::text,
    t.position_id::text,
    t.position_version,
    t.effect,
    t.quantity,
    t.price,
    t.conversion_rate,
    t.realised_pnl,
    t.commission,
    t.position_quantity,
    t.position_average_price,
    t.position_realised_pnl
FROM trades AS t
ORDER BY t.id;

-- name: recorded_positions
-- Read every position as it stands.
SELECT
    p.id::text,
    p.account_id::text,
    p.symbol,
    p.position_mode,
    p.quantity,
    p.average_price,
    p.realised_pnl,
    p.is_open,
    p.version,
    p.stop_loss,
    p.take_profit
FROM positions AS p
ORDER BY p.id;

-- name: recorded_amendments
-- Read every amendment of a position by its client, in order.
SELECT
    m.id::text,
    m.account_id::text,
    m.amendment_id::text,
    m.position_id::text,
    m.position_version,
    m.is_named,
    m.sets_stop_loss,
    m.sets_take_profit,
    m.stop_loss_before,
    m.take_profit_before,
    m.stop_loss,
    m.take_profit
FROM position_amendments AS m
ORDER BY m.id;

-- name: recorded_close_bys
-- Read every pairing of two positions.
SELECT
    c.id::text,
    c.account_id::text,
    c.position_id::text,
    c.by_position_id::text,
    c.quantity,
    c.price
FROM close_bys AS c;

-- name: recorded_reversals
-- Read which trades were taken back by which, and what was given back with it.
SELECT
    r.trade_id::text,
    r.reversing_id::text,
    r.commission,
    r.adjustment
FROM trade_reversals AS r;

-- name: recorded_adjustments
-- Read what trades were given or charged for corrected prices, as it was booked.
SELECT
    j.id::text,
    j.trade_id::text,
    j.price_before,
    j.price,
    j.amount
FROM trade_adjustments AS j
ORDER BY j.booked_at, j.id;

-- name: recorded_settlements
-- Read what was decided about busts and corrections, with how many rows each has moved.
SELECT
    c.execution_id,
    s.settlement,
    (SELECT count(*) FROM trade_reversals AS r WHERE r.correction_id = c.id),
    (SELECT count(*) FROM trade_adjustments AS j WHERE j.correction_id = c.id)
FROM provider_correction_settlements AS s
JOIN provider_corrections AS c ON c.id = s.correction_id;

-- name: recorded_entries
-- Read the journal by holder and version.
SELECT
    e.holder_id::text,
    e.version,
    e.transaction_id::text,
    e.operation,
    e.effect,
    e.amount,
    e.available_after,
    e.reserved_after
FROM balance_ledger AS e
ORDER BY e.holder_id, e.version;

-- name: recorded_transfers
-- Read every movement of money.
SELECT
    t.transaction_id::text,
    t.operation,
    t.debit_holder_id::text,
    t.credit_holder_id::text,
    t.amount
FROM transfers AS t;

-- name: recorded_balances
-- Read what every wallet and account holds.
SELECT
    b.holder_id::text,
    b.available,
    b.reserved
FROM holder_balances AS b;

-- name: recorded_set_aside
-- Read every execution that fitted no order, by provider and execution.
SELECT
    l.code,
    u.provider_execution_id,
    u.quantity,
    u.reason
FROM unsolicited_fills AS u
JOIN liquidity_providers AS l ON l.id = u.provider_id;

-- name: recorded_rollovers
-- Read every swap with the terms in points that held for it, and the nights before it.
SELECT
    r.id::text,
    r.position_id::text,
    r.rollover_on,
    r.trade_id::text,
    r.days,
    r.quantity,
    r.conversion_rate,
    r.amount,
    t.long_rate,
    t.short_rate,
    i.price_tick,
    c.minor_units,
    r.operation,
    t.swap_free_fee,
    i.contract_size,
    greatest(
        0,
        r.rollover_on - least(
            (SELECT min(d.ended_on) FROM trading_days AS d WHERE d.ended_at > o.executed_at),
            ((f.quoted_at AT TIME ZONE 'America/New_York') + interval '7 hours')::date
        )
    ) < t.grace_nights
FROM position_rollovers AS r
JOIN positions AS p ON p.id = r.position_id
JOIN instruments AS i ON i.symbol = p.symbol
JOIN accounts AS a ON a.id = p.account_id
JOIN currencies AS c ON c.code = a.currency
JOIN swap_terms AS t ON t.symbol = p.symbol AND t.form = 'points'
JOIN trades AS o ON o.position_id = p.id AND o.position_version = 1
LEFT JOIN order_fills AS f ON f.id = o.fill_id AND f.provider_execution_id IS NOT NULL
ORDER BY r.id;

-- name: recorded_hedges
-- Read every trade of the house with providers.
SELECT
    h.id::text,
    h.symbol,
    h.side,
    h.quantity,
    h.filled_quantity,
    h.status
FROM hedges AS h;

-- name: recorded_hedge_fills
-- Read every execution of a hedge by symbol and sequence, with the quote currency's minor units.
SELECT
    f.id::text,
    f.hedge_id::text,
    f.symbol,
    f.seq,
    l.code,
    f.provider_execution_id,
    f.quantity,
    f.price,
    f.realised_pnl,
    f.position_quantity,
    f.position_average_price,
    c.minor_units
FROM hedge_fills AS f
JOIN liquidity_providers AS l ON l.id = f.provider_id
JOIN instruments AS i ON i.symbol = f.symbol
JOIN currencies AS c ON c.code = i.quote_currency
ORDER BY f.symbol, f.seq;

-- name: count_in_flight
-- Count the orders and hedges that wait for a provider.
SELECT
    (SELECT count(*) FROM orders WHERE is_routed)
    + (SELECT count(*) FROM hedges WHERE status = 'open');

-- name: what_was_met
-- Count what the soak has set off beside its own commands.
SELECT
    (SELECT count(*) FROM order_fills) AS fills,
    (SELECT count(*) FROM orders WHERE status = 'rejected' AND refused_by = 'house') AS denied,
    (SELECT count(*) FROM orders WHERE status = 'rejected' AND refused_by = 'provider') AS rejected,
    (SELECT count(*) FROM orders WHERE origin = 'stop_loss') AS stop_losses,
    (SELECT count(*) FROM orders WHERE origin = 'take_profit') AS take_profits,
    (SELECT count(*) FROM orders WHERE origin = 'stop_out') AS stop_out_closes,
    (SELECT count(*) FROM order_events WHERE event_type = 'triggered') AS triggered,
    (SELECT count(*) FROM order_events WHERE event_type = 'expired') AS expired,
    (SELECT count(*) FROM order_events WHERE event_type = 'replaced') AS replaced,
    (SELECT count(*) FROM order_events WHERE event_type = 'pending_replace') AS replacements_waited,
    (SELECT count(*) FROM position_amendments WHERE is_named) AS amendments,
    (SELECT count(*) FROM margin_calls) AS margin_calls,
    (SELECT count(*) FROM stop_outs) AS stop_outs,
    (SELECT count(*) FROM provider_requests) AS provider_requests,
    (SELECT count(*) FROM provider_requests WHERE NOT is_accepted) AS provider_rejects,
    (SELECT count(*) FROM routing_decisions) AS routing_decisions,
    (SELECT count(*) FROM position_rollovers) AS rollovers,
    (SELECT count(*) FROM trade_reversals) AS reversals,
    (SELECT count(*) FROM trade_adjustments) AS adjustments,
    (SELECT count(*) FROM hedges) AS hedges,
    (SELECT count(*) FROM hedge_fills) AS hedge_fills,
    (SELECT count(*) FROM unsolicited_fills) AS set_aside,
    (SELECT count(*) FROM unsolicited_fills WHERE reason = 'order_ended') AS set_aside_too_late;
