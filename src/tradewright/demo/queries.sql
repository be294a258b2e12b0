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
-- Count open positions, margin calls and stop-outs of the day's accounts.
SELECT
    (SELECT count(*) FROM positions WHERE account_id = ANY(%(ids)s::uuid[]) AND is_open),
    (SELECT count(*) FROM margin_calls WHERE account_id = ANY(%(ids)s::uuid[])),
    (
        SELECT count(*)
        FROM stop_outs
        WHERE account_id = ANY(%(ids)s::uuid[]) AND positions_closed > 0
    );

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
