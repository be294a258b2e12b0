-- name: list_states
-- Read every reporting view as it stands, or one.
SELECT
    name,
    row_count,
    byte_count,
    as_of,
    age,
    age_max,
    is_overdue,
    is_filled,
    last_took,
    failed_at,
    error
FROM reporting_view_states
WHERE %(name)s::text IS NULL OR name = %(name)s
ORDER BY name;

-- name: allow_time
-- Let a refresh take its time, and end its statement when that is over; it waits for others as long.
SELECT
    set_config('transaction_timeout', '0', true),
    set_config('lock_timeout', '0', true),
    set_config('statement_timeout', %(milliseconds)s::text, true);

-- name: refresh_view
-- Refresh a view beside its readers.
SELECT view_name, as_of, row_count, finished_at - started_at, error_state, error
FROM refresh_reporting_view(%(name)s);

-- name: raise_overdue_views
-- Tell people of views that are long overdue.
SELECT raise_overdue_views();

-- name: show_client_activity
-- Read how active users were.
SELECT
    v.trading_day,
    u.email,
    v.account_count,
    v.symbol_count,
    v.order_count,
    v.filled_count,
    v.partly_filled_count,
    v.denied_count,
    v.rejected_count,
    v.ended_count,
    v.live_count,
    v.stop_out_count,
    v.first_order_at,
    v.last_order_at,
    v.user_id
FROM client_activity AS v
JOIN users AS u ON u.id = v.user_id
WHERE (%(since)s::date IS NULL OR v.trading_day >= %(since)s)
  AND (%(until)s::date IS NULL OR v.trading_day <= %(until)s)
  AND (%(user)s::uuid IS NULL OR v.user_id = %(user)s::uuid)
ORDER BY v.trading_day DESC, v.order_count DESC, v.user_id
LIMIT %(count_max)s;

-- name: show_house_result
-- Read what the house has earned and lost.
SELECT
    trading_day,
    currency,
    dealing,
    hedges,
    commission,
    swap_free_fees,
    other_fees,
    swaps,
    provider_costs,
    negative_balances,
    result,
    exchanged
FROM house_result
WHERE (%(since)s::date IS NULL OR trading_day >= %(since)s)
  AND (%(until)s::date IS NULL OR trading_day <= %(until)s)
  AND (%(currency)s::text IS NULL OR currency = %(currency)s)
ORDER BY trading_day DESC, currency
LIMIT %(count_max)s;

-- name: show_payment_summary
-- Read what users have paid in and out.
SELECT
    v.day,
    u.email,
    v.currency,
    v.kind,
    v.payment_count,
    v.volume,
    v.fees,
    v.refund_count,
    v.refunded,
    v.dispute_count,
    v.disputed,
    v.reversed_count,
    v.reversed,
    v.user_id
FROM payment_summary AS v
JOIN users AS u ON u.id = v.user_id
WHERE (%(since)s::date IS NULL OR v.day >= %(since)s)
  AND (%(until)s::date IS NULL OR v.day <= %(until)s)
  AND (%(user)s::uuid IS NULL OR v.user_id = %(user)s::uuid)
  AND (%(currency)s::text IS NULL OR v.currency = %(currency)s)
ORDER BY v.day DESC, v.user_id, v.currency, v.kind
LIMIT %(count_max)s;

-- name: show_provider_summary
-- Read how providers have answered.
SELECT
    trading_day,
    provider,
    symbol,
    currency,
    request_count,
    filled_count,
    partly_filled_count,
    rejected_count,
    unanswered_count,
    rejected_by_reason,
    requested_quantity,
    filled_quantity,
    hold_ms_p50,
    hold_ms_p95,
    hold_ms_p99,
    priced_quantity,
    improvement,
    mean_improvement
FROM provider_summary
WHERE (%(since)s::date IS NULL OR trading_day >= %(since)s)
  AND (%(until)s::date IS NULL OR trading_day <= %(until)s)
  AND (%(provider)s::text IS NULL OR provider = %(provider)s)
  AND (%(symbol)s::text IS NULL OR symbol = %(symbol)s)
ORDER BY trading_day DESC, provider, symbol
LIMIT %(count_max)s;

-- name: show_trading_summary
-- Read what accounts have traded.
SELECT
    v.trading_day,
    v.account_id,
    v.symbol,
    v.currency,
    v.trade_count,
    v.volume,
    v.reversed_volume,
    v.realised_pnl,
    v.adjustments,
    v.commission,
    v.swap,
    v.swap_free_fees,
    v.result
FROM trading_summary AS v
JOIN accounts AS a ON a.id = v.account_id
WHERE (%(since)s::date IS NULL OR v.trading_day >= %(since)s)
  AND (%(until)s::date IS NULL OR v.trading_day <= %(until)s)
  AND (%(account)s::uuid IS NULL OR v.account_id = %(account)s::uuid)
  AND (%(user)s::uuid IS NULL OR a.user_id = %(user)s::uuid)
  AND (%(symbol)s::text IS NULL OR v.symbol = %(symbol)s)
  AND (%(currency)s::text IS NULL OR v.currency = %(currency)s)
ORDER BY v.trading_day DESC, v.account_id, v.symbol
LIMIT %(count_max)s;
