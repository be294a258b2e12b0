-- name: others_count
-- Count the users whom no day of the demo has opened.
SELECT count(*)
FROM users AS u
WHERE u.email !~ '^(officer|trader-[0-9]+)@[0-9a-z-]+[.]example$';

-- name: user_by_email
-- Find a user of the day.
SELECT id::text
FROM users
WHERE email = %(email)s;

-- name: account_by_email
-- Find a trader's user and account.
SELECT u.id::text, a.id::text
FROM users AS u
JOIN accounts AS a ON a.user_id = u.id
WHERE u.email = %(email)s;

-- name: balance
-- Read an account's balance.
SELECT balance
FROM accounts
WHERE id = %(account_id)s;

-- name: order_figures
-- Count the day's orders by what became of them.
SELECT
    count(*),
    count(*) FILTER (WHERE status = 'canceled'),
    count(*) FILTER (WHERE remaining_quantity > 0),
    count(*) FILTER (WHERE refused_by = 'provider')
FROM orders
WHERE account_id = ANY(%(ids)s::uuid[]);

-- name: denied_by_code
-- Count the day's orders that the house denied, by reason.
SELECT refusal_code, count(*)
FROM orders
WHERE account_id = ANY(%(ids)s::uuid[]) AND refused_by = 'house'
GROUP BY refusal_code
ORDER BY refusal_code;

-- name: orders_by_strategy
-- Count the day's orders by the strategy that the client tagged them with.
SELECT metadata ->> 'strategy', count(*)
FROM orders
WHERE account_id = ANY(%(ids)s::uuid[]) AND metadata IS NOT NULL
GROUP BY 1
ORDER BY 1;

-- name: fill_count
-- Count the day's fills.
SELECT count(*)
FROM order_fills AS f
JOIN orders AS o ON o.id = f.order_id
WHERE o.account_id = ANY(%(ids)s::uuid[]);

-- name: provider_answers
-- Count what each provider was asked and rejected.
SELECT
    p.code,
    count(*),
    count(*) FILTER (WHERE NOT r.is_accepted),
    coalesce(round(avg(r.hold_ms)), 0)
FROM provider_requests AS r
JOIN liquidity_providers AS p ON p.id = r.provider_id
JOIN orders AS o ON o.id = r.order_id
WHERE o.account_id = ANY(%(ids)s::uuid[])
GROUP BY p.code
ORDER BY p.code;

-- name: routing_figures
-- Count how the day's hybrid orders were decided, by reason, and how many went to both books.
SELECT d.reason, count(*), count(*) FILTER (WHERE d.a_quantity > 0 AND d.b_quantity > 0)
FROM routing_decisions AS d
JOIN orders AS o ON o.id = d.order_id
WHERE o.account_id = ANY(%(ids)s::uuid[])
GROUP BY d.reason
ORDER BY d.reason;

-- name: hedge_figures
-- Count the house's hedges by what came of them.
SELECT status, count(*)
FROM hedges
GROUP BY status
ORDER BY status;

-- name: hedge_results
-- Sum what hedges have realised, by currency.
SELECT i.quote_currency, sum(f.realised_pnl)
FROM hedge_fills AS f
JOIN instruments AS i ON i.symbol = f.symbol
GROUP BY i.quote_currency
HAVING sum(f.realised_pnl) <> 0
ORDER BY i.quote_currency;

-- name: risk_figures
-- Count open positions, margin calls, those resolved, and stop-outs of the day's accounts.
SELECT
    (SELECT count(*) FROM positions WHERE account_id = ANY(%(ids)s::uuid[]) AND is_open),
    (SELECT count(*) FROM margin_calls WHERE account_id = ANY(%(ids)s::uuid[])),
    (
        SELECT count(*)
        FROM margin_calls
        WHERE account_id = ANY(%(ids)s::uuid[]) AND resolved_at IS NOT NULL
    ),
    (
        SELECT count(*)
        FROM stop_outs
        WHERE account_id = ANY(%(ids)s::uuid[]) AND positions_closed > 0
    );

-- name: resting_orders_filled
-- Count clients' orders that waited for a price and dealt at it, by type.
SELECT order_type, count(*)
FROM orders
WHERE account_id = ANY(%(ids)s::uuid[])
    AND origin = 'client'
    AND order_type <> 'market'
    AND filled_quantity > 0
GROUP BY order_type
ORDER BY order_type;

-- name: alternatives_canceled
-- Count the orders that were canceled because an alternative of theirs woke or dealt.
SELECT count(*)
FROM orders
WHERE account_id = ANY(%(ids)s::uuid[])
    AND status = 'canceled'
    AND refusal_code = 'ORDER_GROUP_DECIDED';

-- name: breakers_triggered
-- Count how often a circuit breaker was triggered since the day's accounts were opened.
SELECT count(*)
FROM circuit_breaker_events
WHERE to_state = 'triggered'
    AND occurred_at >= (SELECT min(created_at) FROM accounts WHERE id = ANY(%(ids)s::uuid[]));

-- name: swaps
-- Count and sum what positions paid and earned over the rollover, by currency.
SELECT a.currency, count(*), sum(r.amount)
FROM position_rollovers AS r
JOIN positions AS p ON p.id = r.position_id
JOIN accounts AS a ON a.id = p.account_id
WHERE p.account_id = ANY(%(ids)s::uuid[])
GROUP BY a.currency
ORDER BY a.currency;

-- name: forgiven
-- Sum the negative balances that the house took over, by currency.
SELECT a.currency, sum(s.forgiven)
FROM stop_outs AS s
JOIN accounts AS a ON a.id = s.account_id
WHERE s.account_id = ANY(%(ids)s::uuid[]) AND s.forgiven > 0
GROUP BY a.currency
ORDER BY a.currency;

-- name: payments
-- Count and sum the payments that succeeded, by kind and currency.
SELECT kind, currency, count(*), sum(amount)
FROM payment_transactions
WHERE user_id = ANY(%(user_ids)s::uuid[]) AND status = 'succeeded'
GROUP BY kind, currency
ORDER BY kind, currency;

-- name: client_orders
-- Read every order that clients submitted, in the order of accounts and keys given.
SELECT a.place, o.client_order_id, o.status, o.filled_quantity, o.average_price, o.refusal_code
FROM unnest(%(ids)s::uuid[]) WITH ORDINALITY AS a (id, place)
JOIN orders AS o ON o.account_id = a.id
WHERE o.origin = 'client'
ORDER BY a.place, o.client_order_id;

-- name: balances
-- Read every balance, in the order of accounts given.
SELECT a.place, c.balance, coalesce(sum(w.available + w.reserved), 0)
FROM unnest(%(ids)s::uuid[]) WITH ORDINALITY AS a (id, place)
JOIN accounts AS c ON c.id = a.id
LEFT JOIN user_balances AS w ON w.user_id = c.user_id
GROUP BY a.place, c.balance
ORDER BY a.place;

-- name: breaker_moves
-- Read the first moves of circuit breakers since the day's accounts were opened.
SELECT e.market_at, b.symbol, b.kind, e.to_state, e.measured, b.currency, b.window_seconds
FROM circuit_breaker_events AS e
JOIN circuit_breakers AS b ON b.id = e.breaker_id
WHERE e.actor = 'market'
    AND e.occurred_at >= (SELECT min(created_at) FROM accounts WHERE id = ANY(%(ids)s::uuid[]))
ORDER BY e.market_at, b.code
LIMIT 3;

-- name: weathered_calls
-- Read the margin calls that were resolved without a stop-out, those that lasted longest first.
SELECT
    m.market_at, m.resolved_market_at, a.place, m.margin_level, m.equity, m.used_margin, c.currency
FROM unnest(%(ids)s::uuid[]) WITH ORDINALITY AS a (id, place)
JOIN accounts AS c ON c.id = a.id
JOIN margin_calls AS m ON m.account_id = a.id
WHERE m.resolved_market_at IS NOT NULL
    AND NOT EXISTS (
        SELECT
        FROM stop_outs AS s
        WHERE s.account_id = a.id AND s.market_at BETWEEN m.market_at AND m.resolved_market_at
    )
ORDER BY m.resolved_market_at - m.market_at DESC, a.place
LIMIT 1;

-- name: notable_stop_outs
-- Read the largest stop-outs, and the largest of those after which the house forgave what was owed.
SELECT
    s.market_at, a.place, s.margin_level, s.equity, s.positions_closed, s.orders_canceled,
    s.forgiven, c.currency
FROM (
    SELECT *, row_number() OVER (
        PARTITION BY forgiven > 0
        ORDER BY forgiven DESC, used_margin DESC, market_at, equity
    ) AS size_rank
    FROM stop_outs
    WHERE account_id = ANY(%(ids)s::uuid[])
) AS s
JOIN unnest(%(ids)s::uuid[]) WITH ORDINALITY AS a (id, place) ON a.id = s.account_id
JOIN accounts AS c ON c.id = a.id
WHERE s.size_rank <= 2
ORDER BY s.market_at, a.place;

-- name: notable_orders
-- Read the first order of each resting type that was filled, with the trigger that woke it.
SELECT DISTINCT ON (o.order_type)
    coalesce(o.triggered_at, f.quoted_at), a.place, o.order_type, o.side, o.filled_quantity,
    o.symbol, o.average_price, coalesce(o.stop_price, o.limit_price)
FROM unnest(%(ids)s::uuid[]) WITH ORDINALITY AS a (id, place)
JOIN orders AS o ON o.account_id = a.id
JOIN LATERAL (
    SELECT max(quoted_at) AS quoted_at
    FROM order_fills
    WHERE order_id = o.id
) AS f ON f.quoted_at IS NOT NULL
WHERE o.origin = 'client'
    AND o.order_type <> 'market'
    AND o.status = 'filled'
ORDER BY o.order_type, coalesce(o.triggered_at, f.quoted_at), a.place, o.client_order_id;

-- name: decided_pairs
-- Read the first order of which an alternative was canceled because it woke or dealt.
SELECT coalesce(o.triggered_at, f.quoted_at), a.place, o.order_type, o.symbol, other.order_type
FROM unnest(%(ids)s::uuid[]) WITH ORDINALITY AS a (id, place)
JOIN orders AS o ON o.account_id = a.id
JOIN orders AS other ON other.account_id = a.id AND other.oco_group = o.oco_group
JOIN LATERAL (
    SELECT max(quoted_at) AS quoted_at
    FROM order_fills
    WHERE order_id = o.id
) AS f ON f.quoted_at IS NOT NULL
WHERE o.status = 'filled' AND other.status = 'canceled' AND other.refusal_code = 'ORDER_GROUP_DECIDED'
ORDER BY 1, a.place, o.client_order_id
LIMIT 1;

-- name: notable_swaps
-- Read the largest swap that was earned and the largest that was paid over a rollover.
SELECT DISTINCT ON (r.amount > 0)
    r.rollover_on, a.place, p.symbol, r.quantity, r.days, r.amount, c.currency
FROM unnest(%(ids)s::uuid[]) WITH ORDINALITY AS a (id, place)
JOIN accounts AS c ON c.id = a.id
JOIN positions AS p ON p.account_id = a.id
JOIN position_rollovers AS r ON r.position_id = p.id
WHERE r.amount <> 0
ORDER BY r.amount > 0, abs(r.amount) DESC, a.place, p.symbol;

-- name: notable_hedge
-- Read the largest hedge of the house by its instrument's limit.
SELECT decided_at, side, filled_quantity, symbol, exposure
FROM hedges
WHERE status = 'filled'
    AND created_at >= (SELECT min(created_at) FROM accounts WHERE id = ANY(%(ids)s::uuid[]))
ORDER BY filled_quantity / exposure_limit DESC, decided_at, symbol
LIMIT 1;

-- name: orders_wait_for_providers
-- Tell whether an order or a hedge is still with a provider.
SELECT EXISTS (SELECT FROM orders WHERE is_routed AND remaining_quantity > 0)
    OR EXISTS (SELECT FROM hedges WHERE status = 'open');
