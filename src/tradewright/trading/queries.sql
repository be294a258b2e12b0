-- name: instruments
-- Read every instrument.
SELECT
    symbol,
    base_currency,
    quote_currency,
    quantity_step,
    quantity_min,
    quantity_max,
    price_tick,
    leverage_max,
    leverage_max_retail,
    commission_per_million,
    quote_age_ms_max,
    is_tradable,
    contract_size,
    margin_rate,
    margin_rate_min_retail,
    asset_class
FROM instruments
ORDER BY symbol;

-- name: margin_tiers
-- Read the tiers of margin that are in force, by threshold.
SELECT symbol, notional_above, rate
FROM margin_tiers
WHERE rate > 0
ORDER BY symbol, notional_above;

-- name: set_margin_tiers
-- Let an instrument have these tiers of margin and no others.
WITH given AS (
    SELECT *
    FROM unnest(%(above)s::numeric(20, 8)[], %(rates)s::numeric(20, 8)[]) AS g (notional_above, rate)
), cleared AS (
    UPDATE margin_tiers
    SET rate = 0
    WHERE symbol = %(symbol)s
      AND rate <> 0
      AND notional_above <> ALL(%(above)s::numeric(20, 8)[])
)
INSERT INTO margin_tiers (symbol, notional_above, rate)
SELECT %(symbol)s, notional_above, rate
FROM given
ON CONFLICT (symbol, notional_above) DO UPDATE
SET rate = excluded.rate
WHERE margin_tiers.rate <> excluded.rate;

-- name: set_margin_rates
-- Set the least shares of an instrument's notional that are bound as margin.
WITH asked AS (
    SELECT
        id,
        coalesce(%(rate)s, margin_rate) AS rate,
        coalesce(%(rate_min_retail)s, margin_rate_min_retail) AS rate_min_retail
    FROM instruments
    WHERE symbol = %(symbol)s
    FOR UPDATE
), changed AS (
    UPDATE instruments AS i
    SET
        margin_rate = a.rate,
        margin_rate_min_retail = a.rate_min_retail
    FROM asked AS a
    WHERE i.id = a.id
      AND (i.margin_rate, i.margin_rate_min_retail) <> (a.rate, a.rate_min_retail)
)
SELECT id::text FROM asked;

-- name: commission_terms
-- Read what trades cost.
SELECT group_code, symbol, form, rate, currency, minimum
FROM commission_terms
ORDER BY group_code, symbol;

-- name: set_commission_terms
-- Set what trades of a group, of an instrument, or of a group in one cost.
INSERT INTO commission_terms (group_code, symbol, form, rate, currency, minimum)
VALUES (
    %(group_code)s, %(symbol)s, %(form)s, %(rate)s, %(currency)s, %(minimum)s
)
ON CONFLICT (group_code, symbol) DO UPDATE
SET
    form = excluded.form,
    rate = excluded.rate,
    currency = excluded.currency,
    minimum = excluded.minimum
WHERE (
    commission_terms.form, commission_terms.rate, commission_terms.currency, commission_terms.minimum
) IS DISTINCT FROM (excluded.form, excluded.rate, excluded.currency, excluded.minimum);

-- name: trading_sessions
-- Read when instruments are traded.
SELECT symbol, opens_weekday, opens_at, closes_weekday, closes_at, timezone
FROM trading_sessions
ORDER BY symbol, opens_weekday, opens_at;

-- name: hold_reference_version
-- Read the version of the reference data, which cannot change until the transaction ends.
SELECT hold_reference_version();

-- name: reference_version
-- Read the version of the reference data, which may change at once.
SELECT version
FROM reference_version;

-- name: living_engines
-- Read the engines that nobody has taken over from.
SELECT id::text
FROM engines
WHERE taken_over_by IS NULL;

-- name: notice_lost_engines
-- Let the server notice within half a minute when the machine at the other end is gone.
SELECT
    set_config('tcp_keepalives_idle', '10', false),
    set_config('tcp_keepalives_interval', '5', false),
    set_config('tcp_keepalives_count', '3', false);

-- name: try_engine_lock
-- Show that an engine lives, for as long as this session does, unless another session has its lock.
SELECT pg_try_advisory_lock(hashtextextended(current_schema() || '/engine/' || %(id)s, 0));

-- fragment: locks_of_engines
-- Keys of advisory locks whose holder may write engines down: anybody may take one, and proves nothing by it.
SELECT (l.classid::bigint << 32) | l.objid::bigint
FROM pg_locks AS l
JOIN pg_stat_activity AS a ON a.pid = l.pid AND a.datname = current_database()
WHERE l.locktype = 'advisory'
  AND l.objsubid = 1
  AND l.granted
  AND has_table_privilege(a.usesysid, 'engines', 'INSERT')

-- name: engine_is_held
-- Tell whether a session that may write engines down shows that one lives.
SELECT hashtextextended(current_schema() || '/engine/' || %(id)s, 0) IN (
    -- use: locks_of_engines
);

-- name: list_engines
-- Read the engines that nobody has taken over from, and whether each lives, the newest first.
SELECT
    e.id::text,
    e.providers,
    e.started_at,
    e.present_since,
    hashtextextended(current_schema() || '/engine/' || e.id, 0) IN (
        -- use: locks_of_engines
    )
FROM engines AS e
WHERE e.taken_over_by IS NULL
ORDER BY e.started_at DESC, e.id DESC
LIMIT %(count_max)s::integer;

-- name: add_engine
-- Write an engine down; its lock is held.
INSERT INTO engines (id, providers)
VALUES (%(id)s::uuid, %(providers)s::text[]);

-- name: engine_is_taken_over
-- Tell whether another engine has taken over from one.
SELECT taken_over_by IS NOT NULL
FROM engines
WHERE id = %(id)s::uuid;

-- name: return_engine
-- Write that an engine has its lock again, unless another has taken over from it.
UPDATE engines
SET present_since = clock_timestamp()
WHERE id = %(id)s::uuid AND taken_over_by IS NULL
RETURNING id::text;

-- name: server_started_at
-- Read since when the server runs: before, nobody held a lock.
SELECT pg_postmaster_start_time();

-- name: server_now
-- Read the server's clock.
SELECT clock_timestamp();

-- name: hear_engines
-- Hear what other engines tell.
LISTEN tradewright_engines;

-- name: tell_engines
-- Tell the engines of this schema something, each text in one message.
SELECT pg_notify('tradewright_engines', current_schema() || ' ' || t.told)
FROM unnest(%(texts)s::text[]) AS t (told);

-- name: own_schema
-- Read which schema this is.
SELECT current_schema()::text;

-- name: engines_gone
-- Find engines without their lock, and whether all their providers are reached from here.
SELECT e.id::text, e.present_since, e.providers <@ %(providers)s::text[]
FROM engines AS e
WHERE e.taken_over_by IS NULL
  AND e.id <> %(id)s::uuid
  AND (
      e.present_since >= %(since)s::timestamptz
      OR clock_timestamp() >= %(since)s::timestamptz + %(grace)s::interval
  )
  AND hashtextextended(current_schema() || '/engine/' || e.id, 0) NOT IN (
      -- use: locks_of_engines
  )
ORDER BY e.id;

-- name: take_over_engine
-- Write that an engine's orders and hedges are ours, unless it has come back or another was faster.
UPDATE engines
SET
    taken_over_by = %(successor_id)s::uuid,
    taken_over_at = clock_timestamp()
WHERE id = %(id)s::uuid AND taken_over_by IS NULL AND present_since = %(present_since)s::timestamptz
RETURNING id::text;

-- name: take_over_orders
-- Take over an engine's orders with providers; no batch runs meanwhile.
WITH taken AS (
    UPDATE orders
    SET engine_id = %(successor_id)s::uuid
    WHERE engine_id = %(id)s::uuid AND is_routed AND remaining_quantity > 0
    RETURNING account_id
)
SELECT DISTINCT account_id::text
FROM taken
ORDER BY 1;

-- name: take_over_hedges
-- Take over an engine's hedges with providers; no batch runs meanwhile.
UPDATE hedges
SET engine_id = %(successor_id)s::uuid
WHERE engine_id = %(id)s::uuid AND status = 'open'
RETURNING id::text;

-- name: accounts_with_routed_orders
-- Find the accounts of which an engine has orders with providers.
SELECT DISTINCT account_id::text
FROM orders
WHERE engine_id = %(id)s::uuid AND is_routed AND remaining_quantity > 0
ORDER BY 1;

-- name: passed_on_orders
-- Read which orders and hedges an engine has with providers, and whose they are.
SELECT id::text, account_id::text
FROM orders
WHERE engine_id = %(id)s::uuid AND is_routed AND remaining_quantity > 0
UNION ALL
SELECT id::text, %(house)s
FROM hedges
WHERE engine_id = %(id)s::uuid AND status = 'open';

-- name: routed_states
-- Read whose orders with providers are, and whether what is left is wanted back.
SELECT id::text, engine_id::text, status IN ('pending_cancel', 'pending_replace')
FROM orders
WHERE id = ANY(%(ids)s::uuid[])
UNION ALL
SELECT id::text, engine_id::text, false
FROM hedges
WHERE id = ANY(%(ids)s::uuid[]);

-- name: providers
-- Read every liquidity provider.
SELECT id::text, code, priority, is_enabled, fee_bps, quantity_min, quantity_max
FROM liquidity_providers
ORDER BY priority, code;

-- name: enable_provider
-- Let a provider be dealt with, or no more; returns its code if there is such a provider.
UPDATE liquidity_providers
SET is_enabled = %(is_enabled)s
WHERE code = %(code)s
RETURNING code;

-- name: account_currencies
-- Read the currencies in which accounts are kept.
SELECT DISTINCT currency
FROM accounts
ORDER BY currency;

-- name: account_groups
-- Read every group of accounts.
SELECT
    code, position_mode, is_swap_free, stop_out_mode, hedged_margin, margin_price, pending_margin,
    regime
FROM account_groups
ORDER BY code;

-- name: owners_of_accounts
-- Find whose wallets may be needed for some accounts.
SELECT id::text, user_id::text, currency, balance
FROM accounts
WHERE id = ANY(%(ids)s::uuid[]);

-- fragment: accounts_named
-- What `store` lays accounts out from, with their owners and open margin calls.
SELECT
    a.id::text,
    a.user_id::text,
    a.currency,
    a.balance,
    a.version,
    a.leverage,
    a.margin_call_level,
    a.stop_out_level,
    a.book,
    a.status = 'active' AND u.status = 'active',
    u.client_class,
    (
        SELECT m.id::text
        FROM margin_calls AS m
        WHERE m.account_id = a.id AND m.resolved_at IS NULL
    ),
    a.group_code,
    a.credit
FROM accounts AS a
JOIN users AS u ON u.id = a.user_id
WHERE a.id = ANY(%(ids)s::uuid[])

-- name: lock_accounts
-- Lock accounts in key order and read them with their owners and open margin calls.
-- use: accounts_named
ORDER BY a.id
FOR NO KEY UPDATE OF a;

-- name: accounts_of
-- Read accounts with their owners and open margin calls, without locking any.
-- use: accounts_named
ORDER BY a.id;

-- name: accounts_holding
-- Find every account that has an open position.
SELECT DISTINCT account_id::text
FROM positions
WHERE is_open
ORDER BY 1;

-- name: positions_to_roll
-- Read the first rollover that open positions were open over, and the last that is booked of each.
SELECT
    p.id::text,
    least(
        (SELECT min(d.ended_on) FROM trading_days AS d WHERE d.ended_at > t.executed_at),
        ((f.quoted_at AT TIME ZONE 'America/New_York') + interval '7 hours')::date
    ),
    (SELECT max(r.rollover_on) FROM position_rollovers AS r WHERE r.position_id = p.id)
FROM positions AS p
LEFT JOIN trades AS t ON t.position_id = p.id AND t.position_version = 1
LEFT JOIN order_fills AS f ON f.id = t.fill_id AND f.provider_execution_id IS NOT NULL
WHERE p.account_id = ANY(%(ids)s::uuid[]) AND p.is_open;

-- name: rolled_quantities
-- Read for what quantity positions were rolled over on days since the one given.
SELECT
    r.position_id::text,
    r.rollover_on,
    sum(r.quantity)
FROM position_rollovers AS r
JOIN positions AS p ON p.id = r.position_id
WHERE p.account_id = ANY(%(ids)s::uuid[]) AND r.rollover_on >= ALL(%(since)s::date[])
GROUP BY r.position_id, r.rollover_on;

-- name: last_trading_day
-- Read the last trading day that has ended; nothing before the first.
SELECT max(ended_on) FROM trading_days;

-- name: end_trading_days
-- Say that the days up to one have ended; it waits for the batches that are being booked.
INSERT INTO trading_days (ended_on)
SELECT d::date
FROM
    unnest(%(through)s::date[]) AS u (through),
    generate_series(
        coalesce((SELECT max(t.ended_on) + 1 FROM trading_days AS t), u.through),
        u.through,
        interval '1 day'
    ) AS d
ON CONFLICT (ended_on) DO NOTHING;

-- name: swap_terms_since
-- Read the swap terms that hold on some day since the one given, in order.
SELECT
    s.symbol,
    s.effective_on,
    s.form,
    s.long_rate,
    s.short_rate,
    s.currency,
    s.settlement_days,
    s.is_daily,
    s.swap_free_fee,
    s.grace_nights
FROM swap_terms AS s
WHERE s.effective_on >= coalesce(
    (
        SELECT max(b.effective_on)
        FROM swap_terms AS b
        WHERE b.symbol = s.symbol AND b.effective_on <= ALL(%(since)s::date[])
    ),
    s.effective_on
)
ORDER BY s.symbol, s.effective_on;

-- name: past_account_groups
-- Read the groups that accounts were in before, at ends of days since the one given, in order.
SELECT account_id::text, through_on, group_code
FROM past_account_groups
WHERE account_id = ANY(%(ids)s::uuid[]) AND through_on >= ALL(%(since)s::date[])
ORDER BY account_id, through_on;

-- name: past_swap_freedoms
-- Read whether groups were swap-free before, at ends of days since the one given, in order.
SELECT group_code, through_on, is_swap_free
FROM past_swap_freedoms
WHERE through_on >= ALL(%(since)s::date[])
ORDER BY group_code, through_on;

-- name: rollover_holidays
-- Read the days on which currencies do not settle.
SELECT currency, array_agg(holiday_on)
FROM rollover_holidays
WHERE holiday_on >= ALL(%(since)s::date[]) AND holiday_on <= ALL(%(until)s::date[])
GROUP BY currency;

-- name: add_swap_terms
-- Set what holding an instrument costs from a day on.
INSERT INTO swap_terms (
    symbol, effective_on, form, long_rate, short_rate, currency, settlement_days, is_daily,
    swap_free_fee, grace_nights
)
VALUES (
    %(symbol)s, %(effective_on)s, %(form)s, %(long_rate)s, %(short_rate)s, %(currency)s,
    %(settlement_days)s, %(is_daily)s, %(swap_free_fee)s, %(grace_nights)s
);

-- name: add_rollover_holiday
-- Say that a currency does not settle on a day.
INSERT INTO rollover_holidays (currency, holiday_on)
VALUES (%(currency)s, %(holiday_on)s)
ON CONFLICT (currency, holiday_on) DO NOTHING;

-- name: write_rollovers
-- Write what positions have paid or earned over a rollover.
INSERT INTO position_rollovers (
    id, position_id, rollover_on, days, quantity, conversion_rate, amount, operation, trade_id
)
SELECT *
FROM unnest(
    %(id)s::uuid[], %(position_id)s::uuid[], %(rollover_on)s::date[], %(days)s::smallint[],
    %(quantity)s::numeric[], %(conversion_rate)s::numeric[], %(amount)s::numeric[],
    %(operation)s::text[], %(trade_id)s::uuid[]
);

-- name: close_bys_named
-- Read pairings of positions by their key, with the result; their accounts are locked.
SELECT
    c.id::text,
    c.account_id::text,
    c.position_id::text,
    c.by_position_id::text,
    p.symbol,
    c.quantity,
    c.price,
    (
        SELECT t.realised_pnl
        FROM trades AS t
        WHERE t.position_id = c.position_id AND t.close_by_id = c.id
    )
FROM close_bys AS c
JOIN positions AS p ON p.id = c.position_id
WHERE c.id = ANY(%(ids)s::uuid[]);

-- name: amendments_named
-- Read amendments of positions by their key, with the position that was named; their accounts are locked.
SELECT
    m.account_id::text,
    m.amendment_id::text,
    m.position_id::text,
    p.symbol,
    m.sets_stop_loss,
    m.sets_take_profit,
    m.stop_loss,
    m.take_profit
FROM unnest(%(account_ids)s::uuid[], %(keys)s::uuid[]) AS n (account_id, amendment_id)
JOIN position_amendments AS m ON m.account_id = n.account_id AND m.amendment_id = n.amendment_id
JOIN positions AS p ON p.id = m.position_id
WHERE m.is_named;

-- name: open_positions
-- Read the open positions of some accounts; their accounts are locked, and with them these.
SELECT
    id::text,
    account_id::text,
    symbol,
    quantity,
    average_price,
    realised_pnl,
    stop_loss,
    take_profit,
    version,
    amended_by::text
FROM positions
WHERE account_id = ANY(%(ids)s::uuid[]) AND is_open;

-- name: opening_rates
-- Read what open positions were worth when they were opened; their accounts are locked.
SELECT p.account_id::text, p.symbol, p.id::text, r.rate
FROM positions AS p
JOIN opening_rates AS r ON r.position_id = p.id AND r.position_version = p.version
WHERE p.account_id = ANY(%(ids)s::uuid[]) AND p.is_open;

-- name: write_opening_rates
-- Write what positions were worth when they were opened, after the trades that they follow.
INSERT INTO opening_rates (position_id, position_version, rate)
SELECT *
FROM unnest(%(position_id)s::uuid[], %(position_version)s::integer[], %(rate)s::numeric[]);

-- fragment: order_columns
-- What `order_rows` lays an order out from, in its order; `orders` is called o.
    o.id::text,
    o.account_id::text,
    o.client_order_id,
    o.symbol,
    o.side,
    o.order_type,
    o.time_in_force,
    o.origin,
    o.book,
    o.quantity,
    o.filled_quantity,
    o.remaining_quantity,
    o.average_price,
    o.limit_price,
    o.stop_price,
    o.stop_loss,
    o.take_profit,
    o.status,
    o.is_routed,
    o.refused_by,
    o.refusal_code,
    o.version,
    coalesce((SELECT sum(f.quantity * f.price) FROM order_fills AS f WHERE f.order_id = o.id), 0),
    o.expires_at,
    (SELECT c.position_id::text FROM closing_orders AS c WHERE c.order_id = o.id),
    o.trailing_distance,
    o.trailing_terms,
    o.triggered_at,
    o.is_reduce_only,
    o.is_post_only,
    o.oco_group,
    o.engine_id::text

-- name: orders_named
-- Read orders by id, their alternatives, and what is in flight beside those that only reduce.
SELECT
    -- use: order_columns
FROM (
    SELECT id
    FROM orders
    WHERE id = ANY(%(ids)s::uuid[])
    UNION
    SELECT other.id
    FROM orders AS named
    -- Among what lives, whatever its symbol: with that, a plan may read all that has ended beside it.
    CROSS JOIN LATERAL (
        SELECT l.id, l.symbol, l.is_routed, l.oco_group
        FROM orders AS l
        WHERE l.account_id = named.account_id AND l.remaining_quantity > 0
        OFFSET 0
    ) AS other
    WHERE named.id = ANY(%(ids)s::uuid[])
      AND (named.is_reduce_only OR named.oco_group IS NOT NULL)
      AND other.symbol = named.symbol
      AND (other.is_routed OR other.oco_group = named.oco_group)
) AS wanted
JOIN orders AS o ON o.id = wanted.id;

-- name: orders_by_key
-- Read orders by account and any key of their chain, pair by pair; their accounts are locked.
SELECT
    -- use: order_columns,
    EXISTS (SELECT FROM order_replacements AS r WHERE r.order_id = o.id),
    k.client_order_id,
    -- What the first change has kept; an order with one event has had none.
    CASE WHEN o.version > 1 THEN (
        SELECT e.details -> 'was'
        FROM order_events AS e
        WHERE e.order_id = o.id
          AND e.event_type IN ('replaced', 'restated')
          AND e.details -> 'was' IS NOT NULL
        ORDER BY e.seq
        LIMIT 1
    ) END,
    coalesce((SELECT c.is_whole FROM closing_orders AS c WHERE c.order_id = o.id), false)
FROM unnest(%(account_ids)s::uuid[], %(keys)s::text[]) AS k (account_id, client_order_id)
-- The first from a pair on, in the pairs' order: only the index of both columns begins there and ends
-- after one row, while another index of the account would have to be read to its end and sorted. So no
-- plan that was made while the tables were small, or between a VACUUM and an ANALYZE, reads all that the
-- account has ever ordered. What is not the pair itself is dropped behind it.
LEFT JOIN LATERAL (
    SELECT r.account_id, r.key, r.first_key
    FROM order_replacements AS r
    WHERE (r.account_id, r.key) >= (k.account_id, k.client_order_id)
    ORDER BY r.account_id, r.key
    LIMIT 1
) AS replaced ON replaced.account_id = k.account_id AND replaced.key = k.client_order_id
CROSS JOIN LATERAL (
    SELECT kept.*
    FROM orders AS kept
    WHERE (kept.account_id, kept.client_order_id)
        >= (k.account_id, coalesce(replaced.first_key, k.client_order_id))
    ORDER BY kept.account_id, kept.client_order_id
    LIMIT 1
) AS o
WHERE o.account_id = k.account_id AND o.client_order_id = coalesce(replaced.first_key, k.client_order_id);

-- name: live_orders
-- Read every live order of some accounts, or of all when none are named.
SELECT
    -- use: order_columns
FROM orders AS o
WHERE o.account_id = ANY(%(ids)s::uuid[]) AND o.remaining_quantity > 0
ORDER BY o.id;

-- name: routed_orders
-- Read the orders of some accounts whose provider has not answered; the accounts are locked.
SELECT
    -- use: order_columns
FROM orders AS o
WHERE o.account_id = ANY(%(ids)s::uuid[]) AND o.remaining_quantity > 0 AND o.is_routed
ORDER BY o.id;

-- name: orders_of_groups
-- Read every order of some groups of alternatives, those that have ended too.
SELECT
    -- use: order_columns
FROM unnest(%(account_ids)s::uuid[], %(groups)s::text[]) AS k (account_id, oco_group)
JOIN orders AS o ON o.account_id = k.account_id AND o.oco_group = k.oco_group;

-- name: replacements_named
-- Read replacements by account and key, with what they asked for; their accounts are locked.
SELECT
    r.account_id::text, r.key, r.order_id::text, r.quantity, r.limit_price, r.stop_price
FROM unnest(%(account_ids)s::uuid[], %(keys)s::text[]) AS k (account_id, key)
-- The first from a pair on, as in orders_by_key: one row is read, by whatever plan.
CROSS JOIN LATERAL (
    SELECT n.*
    FROM order_replacements AS n
    WHERE (n.account_id, n.key) >= (k.account_id, k.key)
    ORDER BY n.account_id, n.key
    LIMIT 1
) AS r
WHERE r.account_id = k.account_id AND r.key = k.key;

-- name: replacements_waiting
-- Read which replacements wait for a provider, and whether their keys have been given away since.
SELECT
    o.id::text,
    o.account_id::text,
    e.details -> 'asked',
    -- The first from a pair on, as in orders_by_key: one row is read of each, by whatever plan.
    (o.account_id, e.key) IN (
        SELECT k.account_id, k.client_order_id
        FROM orders AS k
        WHERE (k.account_id, k.client_order_id) >= (o.account_id, e.key)
        ORDER BY k.account_id, k.client_order_id
        LIMIT 1
    )
    OR (o.account_id, e.key) IN (
        SELECT r.account_id, r.key
        FROM order_replacements AS r
        WHERE (r.account_id, r.key) >= (o.account_id, e.key)
        ORDER BY r.account_id, r.key
        LIMIT 1
    )
FROM (
    SELECT id, account_id
    FROM orders
    WHERE id = ANY(%(ids)s::uuid[])
    OFFSET 0
) AS o
CROSS JOIN LATERAL (
    SELECT details, details -> 'asked' ->> 'new_client_order_id' AS key
    FROM order_events
    WHERE order_id = o.id AND event_type = 'pending_replace'
    ORDER BY seq DESC
    LIMIT 1
) AS e;

-- name: routed_versions
-- Read the version at which each order that is with a provider was passed on; requests keep it.
SELECT o.id::text, max(e.seq)
FROM orders AS o
JOIN order_events AS e ON e.order_id = o.id
WHERE o.is_routed
  AND o.remaining_quantity > 0
  AND o.account_id = ANY(%(ids)s::uuid[])
  AND e.event_type NOT IN ('pending_cancel', 'pending_replace', 'trade')
GROUP BY o.id;

-- name: orders_of_last_second
-- Count the orders and replacements of some accounts that have arrived within a second.
-- When they came is the server's word. The keys are in order of time, by the clocks of engines: they
-- only bound what is read, by ours if that is behind, a second further for those of others.
-- A bound that is asked for each row is no condition of an index, one on both sides is taken for a
-- narrow one, and the accounts come after it: so this reads two seconds of the table, and not all that
-- the accounts have ever ordered.
WITH skew AS (
    SELECT (%(now)s::timestamptz[])[1] - statement_timestamp() AS ahead
), recent AS MATERIALIZED (
    SELECT account_id, origin, created_at
    FROM orders
    WHERE id > (SELECT uuidv7(least(ahead, interval '0') - interval '2 seconds') FROM skew)
      AND id < (SELECT uuidv7(greatest(ahead, interval '0') + interval '1 day') FROM skew)
)
SELECT account_id::text, count(*)::integer
FROM (
    SELECT account_id
    FROM recent
    WHERE account_id = ANY(%(ids)s::uuid[])
      AND origin = 'client'
      AND created_at > statement_timestamp() - interval '1 second'
    UNION ALL
    SELECT account_id
    FROM order_replacements
    WHERE replaced_at > statement_timestamp() - interval '1 second' AND account_id = ANY(%(ids)s::uuid[])
) AS arrived
GROUP BY account_id;

-- name: counted_by_the_house
-- Add up by seconds what clients have dealt and providers answered of late, whoever has booked it.
-- The keys are in order of time, so this reads some seconds of both tables. Only seconds count
-- that lie within the bound as a whole. Keys are by the clocks of engines, the bound is by ours: it lies as
-- much further back as the engine that is furthest behind was when it was written down, a minute at most.
WITH clocks AS (
    SELECT greatest(least(min(uuid_extract_timestamp(id) - started_at), interval '0'), interval '-1 minute') AS behind
    FROM engines
    WHERE taken_over_by IS NULL
),
fills AS MATERIALIZED (
    SELECT order_id, quantity, date_trunc('second', uuid_extract_timestamp(id)) AS second
    FROM order_fills
    WHERE id > (SELECT uuidv7(coalesce(behind, interval '0') - interval '7 seconds') FROM clocks) AND id < (SELECT uuidv7(interval '1 day'))
),
answers AS MATERIALIZED (
    SELECT order_id, hedge_id, is_accepted, date_trunc('second', uuid_extract_timestamp(id)) AS second
    FROM provider_requests
    WHERE id > (SELECT uuidv7(coalesce(behind, interval '0') - interval '7 seconds') FROM clocks) AND id < (SELECT uuidv7(interval '1 day'))
)
SELECT f.second, 'volume', o.symbol, i.base_currency, sum(f.quantity)
FROM fills AS f
JOIN orders AS o ON o.id = f.order_id
JOIN instruments AS i ON i.symbol = o.symbol
WHERE f.second > (SELECT statement_timestamp() + coalesce(behind, interval '0') - interval '6 seconds' FROM clocks)
GROUP BY f.second, o.symbol, i.base_currency
UNION ALL
SELECT
    a.second,
    'error_rate',
    coalesce(o.symbol, h.symbol),
    CASE WHEN a.is_accepted THEN 'dealt' ELSE 'rejected' END,
    count(*)::numeric
FROM answers AS a
LEFT JOIN orders AS o ON o.id = a.order_id
LEFT JOIN hedges AS h ON h.id = a.hedge_id
WHERE a.second > (SELECT statement_timestamp() + coalesce(behind, interval '0') - interval '6 seconds' FROM clocks)
GROUP BY 1, 3, 4;

-- name: last_quantities
-- Read the quantities of the last twenty dealt orders of some accounts in some symbols.
SELECT k.account_id::text, k.symbol, last.quantity
FROM unnest(%(account_ids)s::uuid[], %(symbols)s::text[]) AS k (account_id, symbol)
CROSS JOIN LATERAL (
    SELECT o.quantity
    FROM orders AS o
    WHERE o.account_id = k.account_id
      AND o.symbol = k.symbol
      AND o.filled_quantity > 0
      AND o.origin = 'client'
    ORDER BY o.id DESC
    LIMIT 20
) AS last;

-- name: results_of_accounts
-- Add up what some accounts have won since 17:00 in New York, and fallen from their best in 30 days.
WITH results AS (
    SELECT
        t.account_id,
        t.executed_at,
        t.realised_pnl - t.commission AS result,
        sum(t.realised_pnl - t.commission) OVER (
            PARTITION BY t.account_id
            ORDER BY t.executed_at, t.id
        ) AS total
    FROM trades AS t
    WHERE t.account_id = ANY(%(ids)s::uuid[]) AND t.executed_at >= clock_timestamp() - interval '30 days'
)
SELECT
    account_id::text,
    coalesce(
        sum(result) FILTER (
            WHERE executed_at >= (
                date_trunc('day', clock_timestamp() AT TIME ZONE 'America/New_York' - interval '17 hours')
                + interval '17 hours'
            ) AT TIME ZONE 'America/New_York'
        ),
        0
    ),
    greatest(max(total), 0) - sum(result)
FROM results
GROUP BY account_id;

-- name: accounts_halted
-- Find the accounts with orders that rest although a kill is in force for them.
SELECT DISTINCT o.account_id::text
FROM orders AS o
JOIN accounts AS a ON a.id = o.account_id
JOIN trading_halts AS h
    ON h.mode = 'halted'
    AND h.lifted_at IS NULL
    AND (h.scope = 'all' OR h.group_code = a.group_code OR h.account_id = a.id OR h.symbol = o.symbol)
WHERE o.remaining_quantity > 0 AND o.status NOT IN ('pending_cancel')
ORDER BY 1;

-- name: read_one_snapshot
-- Let all that this transaction reads be of one moment, and write nothing.
SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY;

-- name: stressed_positions
-- Read the open positions of some accounts, or of all, with their accounts, without locking any.
SELECT
    a.id::text,
    a.currency,
    a.balance,
    a.leverage,
    a.margin_call_level,
    a.stop_out_level,
    u.client_class,
    g.hedged_margin,
    a.credit,
    g.regime,
    p.symbol,
    p.quantity,
    p.average_price,
    r.rate
FROM positions AS p
JOIN accounts AS a ON a.id = p.account_id
JOIN account_groups AS g ON g.code = a.group_code
JOIN users AS u ON u.id = a.user_id
LEFT JOIN opening_rates AS r
    ON g.margin_price = 'open'
    AND r.position_id = p.id
    AND r.position_version = p.version
WHERE p.is_open AND (%(ids)s::uuid[] IS NULL OR p.account_id = ANY(%(ids)s::uuid[]))
ORDER BY a.id, p.id;

-- name: last_seen_quotes
-- Read the quotes that the last order in each symbol has seen, none that was asked by older ones.
SELECT i.symbol, seen.details
FROM instruments AS i
CROSS JOIN LATERAL (
    SELECT e.details
    FROM orders AS o
    JOIN order_events AS e ON e.order_id = o.id AND e.event_type = 'new' AND e.details <> '{}'
        AND e.details -> 'last_prices' IS NULL
    WHERE o.symbol = i.symbol
    ORDER BY o.id DESC
    LIMIT 1
) AS seen;

-- name: kept_prices
-- Read the last prices that any engine has known and kept.
SELECT symbol, bid, ask, quoted_at
FROM last_prices;

-- name: keep_prices
-- Keep the last prices of what is listed, in key order; a newer one that is kept stays.
INSERT INTO last_prices AS p (symbol, bid, ask, quoted_at)
SELECT n.symbol, n.bid, n.ask, n.quoted_at
FROM unnest(
    %(symbols)s::text[], %(bids)s::numeric[], %(asks)s::numeric[], %(times)s::timestamptz[]
) AS n (symbol, bid, ask, quoted_at)
JOIN instruments AS i ON i.symbol = n.symbol
ORDER BY n.symbol
ON CONFLICT (symbol) DO UPDATE
SET
    bid = excluded.bid,
    ask = excluded.ask,
    quoted_at = excluded.quoted_at,
    updated_at = clock_timestamp()
WHERE p.quoted_at <= excluded.quoted_at;

-- name: stressed_exposures
-- Read what the house holds in each symbol for its own account.
SELECT symbol, net
FROM kept_exposures
WHERE net <> 0;

-- name: stressed_providers
-- Read what the house has open with some providers, for clients, as hedges, and set aside.
SELECT p.code, x.symbol, sum(x.quantity)
FROM liquidity_providers AS p
LEFT JOIN LATERAL (
    SELECT o.symbol, CASE o.side WHEN 'buy' THEN f.quantity ELSE -f.quantity END AS quantity
    FROM order_fills AS f
    JOIN orders AS o ON o.id = f.order_id
    -- What the house has dealt itself names the provider whose quote it was, and no execution of it.
    WHERE f.provider_id = p.id
      AND f.provider_execution_id IS NOT NULL
      AND NOT EXISTS (
          SELECT
          FROM trades AS t
          JOIN trade_reversals AS r ON r.trade_id = t.id
          WHERE t.fill_id = f.id
      )
    UNION ALL
    SELECT h.symbol, h.quantity
    FROM hedge_fills AS h
    WHERE h.provider_id = p.id
    UNION ALL
    SELECT u.symbol, CASE u.side WHEN 'buy' THEN u.quantity ELSE -u.quantity END
    FROM unsolicited_fills AS u
    LEFT JOIN unsolicited_fill_resolutions AS r ON r.fill_id = u.id
    WHERE u.provider_id = p.id AND coalesce(r.resolution, 'kept') = 'kept'
) AS x ON true
WHERE p.code = ANY(%(codes)s)
GROUP BY p.code, x.symbol;

-- name: accounts_at_risk
-- Find every account with an open position, a live order, a margin call, a debt, or told to be stuck.
SELECT id::text
FROM accounts
WHERE balance < 0
   OR EXISTS (SELECT FROM positions AS p WHERE p.account_id = accounts.id AND p.is_open)
   OR EXISTS (
       SELECT FROM orders AS o
       WHERE o.account_id = accounts.id AND o.remaining_quantity > 0
   )
   OR EXISTS (
       SELECT FROM margin_calls AS m WHERE m.account_id = accounts.id AND m.resolved_at IS NULL
   )
   OR id::text IN (
       SELECT about FROM alerts WHERE kind = 'account_stuck' AND resolved_at IS NULL
   )
ORDER BY id;

-- name: write_orders
-- Write new orders in bulk, with their events.
WITH events AS (
    INSERT INTO order_events (
        order_id, seq, event_type, from_status, to_status, quantity, price, actor, details
    )
    SELECT *
    FROM unnest(
        %(event_order_ids)s::uuid[], %(event_seqs)s::integer[], %(event_types)s::text[],
        %(event_from_statuses)s::text[], %(event_to_statuses)s::text[],
        %(event_quantities)s::numeric[], %(event_prices)s::numeric[], %(event_actors)s::text[],
        %(event_details)s::jsonb[]
    )
)
INSERT INTO orders (
    id, account_id, client_order_id, symbol, side, order_type, time_in_force, origin, book,
    quantity, filled_quantity, remaining_quantity, average_price, limit_price, stop_price,
    stop_loss, take_profit, status, is_routed, refused_by, refusal_code, metadata, version,
    expires_at, trailing_distance, trailing_terms, triggered_at, is_reduce_only, is_post_only,
    oco_group, engine_id
)
SELECT *
FROM unnest(
    %(id)s::uuid[], %(account_id)s::uuid[], %(client_order_id)s::text[], %(symbol)s::text[],
    %(side)s::text[], %(order_type)s::text[], %(time_in_force)s::text[], %(origin)s::text[],
    %(book)s::text[], %(quantity)s::numeric[], %(filled_quantity)s::numeric[],
    %(remaining_quantity)s::numeric[], %(average_price)s::numeric[], %(limit_price)s::numeric[],
    %(stop_price)s::numeric[], %(stop_loss)s::numeric[], %(take_profit)s::numeric[],
    %(status)s::text[], %(is_routed)s::boolean[], %(refused_by)s::text[],
    %(refusal_code)s::text[], %(metadata)s::jsonb[], %(version)s::integer[],
    %(expires_at)s::timestamptz[], %(trailing_distance)s::numeric[],
    %(trailing_terms)s::text[], %(triggered_at)s::timestamptz[], %(is_reduce_only)s::boolean[],
    %(is_post_only)s::boolean[], %(oco_group)s::text[], %(engine_id)s::uuid[]
);

-- name: update_orders
-- Write what became of orders that were there before, with their events.
WITH events AS (
    INSERT INTO order_events (
        order_id, seq, event_type, from_status, to_status, quantity, price, actor, details
    )
    SELECT *
    FROM unnest(
        %(event_order_ids)s::uuid[], %(event_seqs)s::integer[], %(event_types)s::text[],
        %(event_from_statuses)s::text[], %(event_to_statuses)s::text[],
        %(event_quantities)s::numeric[], %(event_prices)s::numeric[], %(event_actors)s::text[],
        %(event_details)s::jsonb[]
    )
)
UPDATE orders AS o
SET
    filled_quantity = n.filled_quantity,
    remaining_quantity = n.remaining_quantity,
    average_price = n.average_price,
    status = n.status,
    is_routed = n.is_routed,
    refused_by = n.refused_by,
    refusal_code = n.refusal_code,
    version = n.version,
    quantity = n.quantity,
    limit_price = n.limit_price,
    stop_price = n.stop_price,
    triggered_at = n.triggered_at,
    engine_id = n.engine_id,
    updated_at = clock_timestamp()
FROM unnest(
    %(ids)s::uuid[], %(filled)s::numeric[], %(remaining)s::numeric[], %(prices)s::numeric[],
    %(statuses)s::text[], %(routed)s::boolean[], %(refused_by)s::text[], %(codes)s::text[],
    %(versions)s::integer[], %(stop_prices)s::numeric[], %(triggered)s::timestamptz[],
    %(quantities)s::numeric[], %(limit_prices)s::numeric[], %(engine_ids)s::uuid[]
) AS n (
    id, filled_quantity, remaining_quantity, average_price, status, is_routed, refused_by,
    refusal_code, version, stop_price, triggered_at, quantity, limit_price, engine_id
)
WHERE o.id = n.id;

-- name: write_order_replacements
-- Write replacements in bulk; their events are written.
INSERT INTO order_replacements (
    account_id, key, order_id, order_version, first_key, replaced_key, quantity, limit_price,
    stop_price
)
SELECT *
FROM unnest(
    %(account_id)s::uuid[], %(key)s::text[], %(order_id)s::uuid[], %(order_version)s::integer[],
    %(first_key)s::text[], %(replaced_key)s::text[], %(quantity)s::numeric[],
    %(limit_price)s::numeric[], %(stop_price)s::numeric[]
);

-- name: write_fills
-- Write fills in bulk.
INSERT INTO order_fills (
    id, order_id, quantity, price, provider_id, provider_execution_id, quoted_at, is_maker
)
SELECT *
FROM unnest(
    %(id)s::uuid[], %(order_id)s::uuid[], %(quantity)s::numeric[], %(price)s::numeric[],
    %(provider_id)s::uuid[], %(provider_execution_id)s::text[], %(quoted_at)s::timestamptz[],
    %(is_maker)s::boolean[]
);

-- name: write_closing_orders
-- Write which positions orders have named.
INSERT INTO closing_orders (order_id, position_id, is_whole)
SELECT *
FROM unnest(%(order_id)s::uuid[], %(position_id)s::uuid[], %(is_whole)s::boolean[]);

-- name: write_close_bys
-- Write pairings of positions, before their trades.
INSERT INTO close_bys (
    id, account_id, position_id, by_position_id, quantity, price, quoted_at
)
SELECT *
FROM unnest(
    %(id)s::uuid[], %(account_id)s::uuid[], %(position_id)s::uuid[], %(by_position_id)s::uuid[],
    %(quantity)s::numeric[], %(price)s::numeric[], %(quoted_at)s::timestamptz[]
);

-- name: write_positions
-- Write what became of positions, then new ones, with the trades of all.
WITH traded AS (
    INSERT INTO trades (
        id, account_id, fill_id, close_by_id, position_id, position_version, effect, quantity,
        price, conversion_rate, realised_pnl, commission, position_quantity,
        position_average_price, position_realised_pnl
    )
    SELECT *
    FROM unnest(
        %(trade_ids)s::uuid[], %(trade_account_ids)s::uuid[], %(trade_fill_ids)s::uuid[],
        %(trade_close_by_ids)s::uuid[],
        %(trade_position_ids)s::uuid[], %(trade_versions)s::integer[], %(trade_effects)s::text[],
        %(trade_quantities)s::numeric[], %(trade_prices)s::numeric[],
        %(trade_conversion_rates)s::numeric[], %(trade_realised_pnls)s::numeric[],
        %(trade_commissions)s::numeric[], %(trade_position_quantities)s::numeric[],
        %(trade_position_prices)s::numeric[], %(trade_position_pnls)s::numeric[]
    )
), moved AS (
    UPDATE positions AS p
    SET
        quantity = n.quantity,
        average_price = n.average_price,
        realised_pnl = n.realised_pnl,
        stop_loss = n.stop_loss,
        take_profit = n.take_profit,
        is_open = n.quantity <> 0,
        version = n.version,
        updated_at = clock_timestamp(),
        closed_at = CASE WHEN n.quantity = 0 THEN clock_timestamp() END
    FROM unnest(
        %(ids)s::uuid[], %(quantities)s::numeric[], %(prices)s::numeric[], %(pnls)s::numeric[],
        %(stop_losses)s::numeric[], %(take_profits)s::numeric[], %(versions)s::integer[]
    ) AS n (id, quantity, average_price, realised_pnl, stop_loss, take_profit, version)
    WHERE p.id = n.id
    RETURNING p.id
)
-- What a flip closes makes room for what it opens: the new ones wait for what has moved.
INSERT INTO positions (
    id, account_id, symbol, position_mode, quantity, average_price, realised_pnl, stop_loss,
    take_profit, is_open, version, closed_at
)
SELECT n.*
FROM unnest(
    %(new_ids)s::uuid[], %(account_ids)s::uuid[], %(symbols)s::text[], %(position_modes)s::text[],
    %(new_quantities)s::numeric[], %(new_prices)s::numeric[], %(new_pnls)s::numeric[],
    %(new_stop_losses)s::numeric[], %(new_take_profits)s::numeric[], %(are_open)s::boolean[],
    %(new_versions)s::integer[], %(closed)s::timestamptz[]
) AS n
CROSS JOIN (SELECT count(*) FROM moved) AS before;

-- name: write_position_amendments
-- Write amendments of positions in bulk, after the positions' trades.
INSERT INTO position_amendments (
    id, account_id, amendment_id, position_id, position_version, is_named, sets_stop_loss,
    sets_take_profit, stop_loss_before, take_profit_before, stop_loss, take_profit, bid, ask,
    quoted_at, booked_at
)
SELECT *
FROM unnest(
    %(ids)s::uuid[], %(account_ids)s::uuid[], %(amendment_ids)s::uuid[], %(position_ids)s::uuid[],
    %(versions)s::integer[], %(are_named)s::boolean[], %(set_stop_losses)s::boolean[],
    %(set_take_profits)s::boolean[], %(stop_losses_before)s::numeric[],
    %(take_profits_before)s::numeric[], %(stop_losses)s::numeric[], %(take_profits)s::numeric[],
    %(bids)s::numeric[], %(asks)s::numeric[], %(quoted)s::timestamptz[], %(booked)s::timestamptz[]
);

-- name: mark_amended_positions
-- Write the levels of positions that an amendment holds for, and which it was.
UPDATE positions AS p
SET
    stop_loss = n.stop_loss,
    take_profit = n.take_profit,
    amended_by = n.amended_by,
    updated_at = clock_timestamp()
FROM unnest(
    %(ids)s::uuid[], %(stop_losses)s::numeric[], %(take_profits)s::numeric[], %(amendments)s::uuid[]
) AS n (id, stop_loss, take_profit, amended_by)
WHERE p.id = n.id;

-- name: write_provider_requests
-- Write what providers were asked and answered.
INSERT INTO provider_requests (
    id, request_id, order_id, hedge_id, provider_id, quantity, price, is_accepted,
    filled_quantity, reason, hold_ms, requested_at, decided_at
)
SELECT *
FROM unnest(
    %(id)s::uuid[], %(request_id)s::text[], %(order_id)s::uuid[], %(hedge_id)s::uuid[],
    %(provider_id)s::uuid[], %(quantity)s::numeric[], %(price)s::numeric[], %(is_accepted)s::boolean[],
    %(filled_quantity)s::numeric[], %(reason)s::text[], %(hold_ms)s::integer[],
    %(requested_at)s::timestamptz[], %(decided_at)s::timestamptz[]
)
ON CONFLICT (request_id) DO NOTHING;

-- name: executions_known
-- Find which names of executions are taken, and of which order, hedge or request the execution is.
SELECT p.code, f.provider_execution_id, f.order_id::text
FROM unnest(%(provider_codes)s::text[], %(execution_ids)s::text[]) AS k (code, execution_id)
JOIN liquidity_providers AS p ON p.code = k.code
JOIN order_fills AS f ON f.provider_id = p.id AND f.provider_execution_id = k.execution_id
UNION ALL
SELECT p.code, h.provider_execution_id, h.hedge_id::text
FROM unnest(%(provider_codes)s::text[], %(execution_ids)s::text[]) AS k (code, execution_id)
JOIN liquidity_providers AS p ON p.code = k.code
JOIN hedge_fills AS h ON h.provider_id = p.id AND h.provider_execution_id = k.execution_id
UNION ALL
SELECT p.code, u.provider_execution_id, left(u.request_id, 36)
FROM unnest(%(provider_codes)s::text[], %(execution_ids)s::text[]) AS k (code, execution_id)
JOIN liquidity_providers AS p ON p.code = k.code
JOIN unsolicited_fills AS u ON u.provider_id = p.id AND u.provider_execution_id = k.execution_id
UNION ALL
SELECT p.code, c.execution_id, left(c.request_id, 36)
FROM unnest(%(provider_codes)s::text[], %(execution_ids)s::text[]) AS k (code, execution_id)
JOIN liquidity_providers AS p ON p.code = k.code
JOIN provider_corrections AS c ON c.provider_id = p.id AND c.execution_id = k.execution_id;

-- name: executions_of_later_requests
-- Find which executions bear an ExecID that an earlier request of their own order was told under.
-- Over FIX the messages say so; a request is told again under its own id, however often.
SELECT k.code, k.execution_id, k.request_id
FROM unnest(%(provider_codes)s::text[], %(execution_ids)s::text[], %(request_ids)s::text[]) AS k (code, execution_id, request_id)
JOIN liquidity_providers AS p ON p.code = k.code
CROSS JOIN LATERAL (
    SELECT m.request_id
    FROM fix_messages AS m
    JOIN fix_sessions AS s ON s.id = m.session_id AND s.provider_id = p.id
    WHERE m.request_id ~>=~ left(k.request_id, 36)
      AND m.request_id ~<~ (left(k.request_id, 36) || '~')
      AND m.execution_id = k.execution_id
    ORDER BY m.kept_at, m.session_id, m.seq
    LIMIT 1
) AS told
WHERE told.request_id <> k.request_id;

-- name: write_unsolicited_fills
-- Set executions aside that fit no order, each once; the house holds them until somebody decides.
WITH written AS (
    INSERT INTO unsolicited_fills (
        provider_id, provider_execution_id, request_id, symbol, side, quantity, price, reason,
        executed_at
    )
    SELECT
        n.provider_id,
        execution_name(n.provider_id, n.execution_id, n.request_id),
        n.request_id,
        n.symbol,
        n.side,
        n.quantity,
        n.price,
        n.reason,
        n.executed_at
    FROM unnest(
        %(provider_ids)s::uuid[], %(execution_ids)s::text[], %(request_ids)s::text[],
        %(symbols)s::text[], %(sides)s::text[], %(quantities)s::numeric[], %(prices)s::numeric[],
        %(reasons)s::text[], %(executed)s::timestamptz[]
    ) AS n (
        provider_id, execution_id, request_id, symbol, side, quantity, price, reason, executed_at
    )
    ON CONFLICT (provider_id, provider_execution_id) DO NOTHING
    RETURNING symbol, side, quantity
)
INSERT INTO exposure_changes (symbol, change)
SELECT symbol, sum(CASE side WHEN 'buy' THEN quantity ELSE -quantity END)
FROM written
GROUP BY symbol;

-- name: account_of_order
-- Find whose order it is.
SELECT account_id::text
FROM orders
WHERE id = %(order_id)s::uuid;

-- name: write_rankings
-- Write which levels orders and hedges could be passed on to, with their scores.
INSERT INTO routing_rankings (id, order_id, hedge_id, candidates, ranked_at)
SELECT *
FROM unnest(
    %(ids)s::uuid[], %(order_ids)s::uuid[], %(hedge_ids)s::uuid[], %(candidates)s::jsonb[],
    %(ranked)s::timestamptz[]
);

-- name: provider_records
-- Count what each provider has answered lately, and how long it took in milliseconds.
SELECT
    p.code,
    count(r.provider_id)::integer,
    count(r.provider_id) FILTER (WHERE r.is_accepted)::integer,
    coalesce(sum(r.latency_ms), 0)::integer
FROM liquidity_providers AS p
LEFT JOIN LATERAL (
    SELECT
        provider_id,
        is_accepted,
        round(extract(epoch FROM decided_at - requested_at) * 1000) AS latency_ms
    FROM provider_requests
    WHERE provider_id = p.id
    ORDER BY requested_at DESC
    LIMIT 500
) AS r ON true
GROUP BY p.code;

-- name: write_routing_decisions
-- Write how hybrid orders were divided.
INSERT INTO routing_decisions (
    id, order_id, reason, rule_id, rule_revision, a_percent, a_quantity, b_quantity, inputs,
    candidates, decided_at
)
SELECT *
FROM unnest(
    %(id)s::uuid[], %(order_id)s::uuid[], %(reason)s::text[], %(rule_id)s::uuid[],
    %(rule_revision)s::integer[], %(a_percent)s::smallint[], %(a_quantity)s::numeric[],
    %(b_quantity)s::numeric[], %(inputs)s::jsonb[], %(candidates)s::jsonb[],
    %(decided_at)s::timestamptz[]
);

-- name: lock_hedging
-- Let one transaction at a time decide about hedges. Whoever may only read cannot take this lock.
LOCK TABLE hedges IN SHARE ROW EXCLUSIVE MODE;

-- name: hedges_at_hand
-- Read the hedges that are named, and those that are open in some symbols; hedging is locked.
SELECT id::text, symbol, side, quantity, filled_quantity, status, engine_id::text
FROM hedges
WHERE id = ANY(%(ids)s::uuid[]) OR (symbol = ANY(%(symbols)s::text[]) AND status = 'open');

-- name: hedged_positions
-- Read the house's position with providers in the symbols of some hedges; hedging is locked.
SELECT h.symbol, f.seq, f.position_quantity, f.position_average_price
FROM (SELECT DISTINCT symbol FROM hedges WHERE id = ANY(%(ids)s::uuid[])) AS h
CROSS JOIN LATERAL (
    SELECT seq, position_quantity, position_average_price
    FROM hedge_fills
    WHERE symbol = h.symbol
    ORDER BY seq DESC
    LIMIT 1
) AS f;

-- name: exposures_of
-- Read the house's net exposure in some symbols.
SELECT symbol, net
FROM kept_exposures
WHERE symbol = ANY(%(symbols)s::text[]);

-- name: open_hedges
-- Read every hedge whose provider's last word is awaited.
SELECT id::text, symbol, side, quantity, filled_quantity, status, engine_id::text
FROM hedges
WHERE status = 'open'
ORDER BY id;

-- name: hedge_exists
-- Tell whether a hedge has an id.
SELECT id::text
FROM hedges
WHERE id = %(id)s::uuid;

-- name: write_hedges
-- Write new hedges.
INSERT INTO hedges (
    id, symbol, side, quantity, exposure, exposure_limit, target, decided_at, engine_id
)
SELECT *
FROM unnest(
    %(ids)s::uuid[], %(symbols)s::text[], %(sides)s::text[], %(quantities)s::numeric[],
    %(exposures)s::numeric[], %(limits)s::numeric[], %(targets)s::numeric[],
    %(decided)s::timestamptz[], %(engine_ids)s::uuid[]
);

-- name: update_hedges
-- Write what came of hedges.
UPDATE hedges AS h
SET
    filled_quantity = n.filled_quantity,
    status = n.status
FROM unnest(%(ids)s::uuid[], %(filled)s::numeric[], %(statuses)s::text[])
    AS n (id, filled_quantity, status)
WHERE h.id = n.id;

-- name: write_hedge_fills
-- Write fills of hedges.
INSERT INTO hedge_fills (
    id, hedge_id, symbol, seq, provider_id, provider_execution_id, quantity, price, realised_pnl,
    position_quantity, position_average_price, executed_at
)
SELECT *
FROM unnest(
    %(ids)s::uuid[], %(hedge_ids)s::uuid[], %(symbols)s::text[], %(seqs)s::integer[],
    %(provider_ids)s::uuid[], %(execution_ids)s::text[], %(quantities)s::numeric[],
    %(prices)s::numeric[], %(results)s::numeric[], %(position_quantities)s::numeric[],
    %(position_prices)s::numeric[], %(executed)s::timestamptz[]
);

-- name: exposures
-- Read the house's net exposure in every symbol.
SELECT symbol, net
FROM kept_exposures;

-- name: write_exposure_changes
-- Append what a batch has done to the house's exposure.
INSERT INTO exposure_changes (symbol, change)
SELECT *
FROM unnest(%(symbols)s::text[], %(changes)s::numeric[]);

-- name: roll_up_exposures
-- Count what batches have appended into the house's exposure, or add everything up anew.
SELECT roll_up_exposures(%(from_zero)s);

-- name: open_client_profiles
-- Open the profiles of users that have none, in key order.
INSERT INTO client_profiles (user_id)
SELECT u.id
FROM unnest(%(ids)s::uuid[]) AS u (id)
ORDER BY u.id
ON CONFLICT (user_id) DO NOTHING
RETURNING user_id::text;

-- fragment: profiles_named
-- What `routing.store` lays profiles out from, after whose they are.
SELECT
    user_id::text,
    trade_count,
    markout_1s_bps,
    markout_10s_bps,
    markout_60s_bps,
    closing_count,
    short_hold_share,
    win_share,
    arrival_count,
    reject_prone_share
FROM client_profiles
WHERE user_id = ANY(%(ids)s::uuid[])

-- name: lock_client_profiles
-- Lock the profiles of users in key order and read them.
-- use: profiles_named
ORDER BY user_id
FOR NO KEY UPDATE;

-- name: client_profiles
-- Read the profiles of users.
-- use: profiles_named
ORDER BY user_id;

-- name: openings_of_positions
-- Read when positions were opened, by the market time of what their first trade was dealt on.
SELECT t.position_id::text, f.quoted_at
FROM trades AS t
JOIN order_fills AS f ON f.id = t.fill_id
WHERE t.position_id = ANY(%(ids)s::uuid[]) AND t.position_version = 1;

-- name: write_client_profiles
-- Write what has been measured of users; their profiles are locked.
UPDATE client_profiles AS p
SET
    trade_count = n.trade_count,
    markout_1s_bps = n.markout_1s_bps,
    markout_10s_bps = n.markout_10s_bps,
    markout_60s_bps = n.markout_60s_bps,
    closing_count = n.closing_count,
    short_hold_share = n.short_hold_share,
    win_share = n.win_share,
    arrival_count = n.arrival_count,
    reject_prone_share = n.reject_prone_share,
    updated_at = clock_timestamp()
FROM unnest(
    %(ids)s::uuid[], %(trade_counts)s::integer[], %(markouts_1s)s::numeric[],
    %(markouts_10s)s::numeric[], %(markouts_60s)s::numeric[], %(closing_counts)s::integer[],
    %(short_hold_shares)s::numeric[], %(win_shares)s::numeric[], %(arrival_counts)s::integer[],
    %(reject_prone_shares)s::numeric[]
) AS n (
    user_id, trade_count, markout_1s_bps, markout_10s_bps, markout_60s_bps, closing_count,
    short_hold_share, win_share, arrival_count, reject_prone_share
)
WHERE p.user_id = n.user_id;

-- name: write_client_measures
-- Keep what was measured of users, as their profiles count it; these are locked.
INSERT INTO client_measures (
    user_id, kind, number, order_id, fill_id, trade_id, measured_at, mid_1s, mid_10s, mid_60s,
    markout_1s_bps, markout_10s_bps, markout_60s_bps, opened_at, is_short_hold, is_win, rejected_at
)
SELECT *
FROM unnest(
    %(user_ids)s::uuid[], %(kinds)s::text[], %(numbers)s::integer[], %(order_ids)s::uuid[],
    %(fill_ids)s::uuid[], %(trade_ids)s::uuid[], %(measured)s::timestamptz[],
    %(mids_1s)s::numeric[], %(mids_10s)s::numeric[], %(mids_60s)s::numeric[],
    %(markouts_1s)s::numeric[], %(markouts_10s)s::numeric[], %(markouts_60s)s::numeric[],
    %(opened)s::timestamptz[], %(short_holds)s::boolean[], %(wins)s::boolean[],
    %(rejected)s::timestamptz[]
);

-- name: write_breaches
-- Write which limits have denied orders.
INSERT INTO risk_breaches (limit_id, order_id, limit_value, measured)
SELECT *
FROM unnest(
    %(limit_id)s::uuid[], %(order_id)s::uuid[], %(limit_value)s::numeric[], %(measured)s::numeric[]
);

-- name: write_alerts
-- Raise alerts, one of a kind about the same while it waits.
-- Of an account that is stuck and of a price that is missing people were told until that is over, also
-- when they have acknowledged it.
INSERT INTO alerts (severity, kind, about, what)
SELECT n.severity, n.kind, n.about, n.what
FROM
    unnest(%(severities)s::text[], %(kinds)s::text[], %(abouts)s::text[], %(whats)s::text[])
        AS n (severity, kind, about, what)
WHERE NOT EXISTS (
    SELECT FROM alerts AS a
    WHERE a.kind IN ('account_stuck', 'symbol_unpriced')
      AND a.resolved_at IS NULL
      AND a.about = n.about
      AND a.kind = n.kind
)
ON CONFLICT (kind, about) WHERE acknowledged_at IS NULL AND resolved_at IS NULL DO NOTHING;

-- name: resolve_unpriced
-- Note that prices are there again for want of which accounts could not be valued.
UPDATE alerts
SET resolved_at = clock_timestamp()
WHERE kind = 'symbol_unpriced' AND about = ANY(%(abouts)s::text[]) AND resolved_at IS NULL;

-- name: unpriced_symbols
-- Read for want of which prices people were told that accounts cannot be valued.
SELECT about
FROM alerts
WHERE kind = 'symbol_unpriced' AND resolved_at IS NULL;

-- name: resolve_stuck
-- Note that accounts are not below their stop-out levels any more, or hold nothing.
UPDATE alerts
SET resolved_at = clock_timestamp()
WHERE kind = 'account_stuck' AND about = ANY(%(abouts)s::text[]) AND resolved_at IS NULL;

-- name: stuck_accounts
-- Read of which accounts people were told that they cannot be stopped out.
SELECT about
FROM alerts
WHERE kind = 'account_stuck' AND about = ANY(%(ids)s::text[]) AND resolved_at IS NULL;

-- name: raise_overdue_answers
-- Tell people about which orders or hedges an answer of a provider cannot be booked.
INSERT INTO alerts (severity, kind, about, what)
SELECT
    'critical',
    'answer_unbooked',
    n.order_id,
    format('what a provider answered for %%s %%s cannot be booked: %%s',
        CASE WHEN h.id IS NULL THEN 'order' ELSE 'hedge' END, n.order_id, n.why)
FROM unnest(%(order_ids)s::text[], %(whys)s::text[]) AS n (order_id, why)
LEFT JOIN hedges AS h ON h.id = n.order_id::uuid
ON CONFLICT (kind, about) WHERE acknowledged_at IS NULL AND resolved_at IS NULL DO NOTHING;

-- name: resolve_overdue_answers
-- Note that what providers answered for orders or hedges is booked.
UPDATE alerts
SET resolved_at = clock_timestamp()
WHERE kind = 'answer_unbooked' AND about = ANY(%(order_ids)s::text[]) AND resolved_at IS NULL;

-- name: raise_unanswered
-- Tell people which orders or hedges a provider does not answer about.
INSERT INTO alerts (severity, kind, about, what)
SELECT
    'critical',
    'answer_missing',
    n.order_id,
    format('provider %%s has not said for half a minute what became of %%s %%s: ask it; it binds until then',
        n.provider, CASE WHEN h.id IS NULL THEN 'order' ELSE 'hedge' END, n.order_id)
FROM unnest(%(order_ids)s::text[], %(providers)s::text[]) AS n (order_id, provider)
LEFT JOIN hedges AS h ON h.id = n.order_id::uuid
WHERE NOT EXISTS (
    SELECT FROM alerts AS a WHERE a.kind = 'answer_missing' AND a.about = n.order_id AND a.resolved_at IS NULL
);

-- name: resolve_unanswered
-- Note which orders and hedges wait for no provider any more; count those that do.
WITH told AS (
    SELECT a.id, a.about
    FROM alerts AS a
    WHERE a.kind = 'answer_missing' AND a.resolved_at IS NULL
), waiting AS (
    SELECT t.id
    FROM told AS t
    JOIN orders AS o ON o.id = t.about::uuid AND o.is_routed
    UNION ALL
    SELECT t.id
    FROM told AS t
    JOIN hedges AS h ON h.id = t.about::uuid AND h.status = 'open'
), ended AS (
    UPDATE alerts
    SET resolved_at = clock_timestamp()
    WHERE id IN (SELECT t.id FROM told AS t EXCEPT SELECT w.id FROM waiting AS w)
)
SELECT count(*)::integer FROM waiting;

-- name: write_margin_calls
-- Write margin calls that were opened.
INSERT INTO margin_calls (
    id, account_id, margin_level, equity, used_margin, market_at
)
SELECT *
FROM unnest(
    %(id)s::uuid[], %(account_id)s::uuid[], %(margin_level)s::numeric[], %(equity)s::numeric[],
    %(used_margin)s::numeric[], %(market_at)s::timestamptz[]
);

-- name: resolve_margin_calls
-- Write margin calls that were resolved.
UPDATE margin_calls AS m
SET resolved_at = clock_timestamp(),
    resolved_market_at = r.market_at
FROM unnest(%(id)s::uuid[], %(market_at)s::timestamptz[]) AS r (id, market_at)
WHERE m.id = r.id;

-- name: stop_outs_rejected
-- Read how often in a row providers have rejected to close what accounts hold, when last, and who.
SELECT
    h.account_id::text,
    h.symbol,
    count(DISTINCT o.id),
    max(k.ranked_at),
    coalesce(array_agg(DISTINCT l.code) FILTER (WHERE l.code IS NOT NULL), '{}')
FROM (
    SELECT DISTINCT account_id, symbol
    FROM positions
    WHERE account_id = ANY(%(ids)s::uuid[]) AND is_open
) AS h
JOIN orders AS o
    ON o.account_id = h.account_id
    AND o.symbol = h.symbol
    AND o.status = 'rejected'
    AND o.origin = 'stop_out'
JOIN routing_rankings AS k ON k.order_id = o.id AND k.ranked_at > ALL(%(since)s::timestamptz[])
LEFT JOIN provider_requests AS q ON q.order_id = o.id AND NOT q.is_accepted
LEFT JOIN liquidity_providers AS l ON l.id = q.provider_id
WHERE NOT EXISTS (
    SELECT
    FROM orders AS d
    WHERE d.account_id = o.account_id
      AND d.symbol = o.symbol
      AND d.origin = 'stop_out'
      AND d.filled_quantity > 0
      AND d.id > o.id
)
GROUP BY h.account_id, h.symbol;

-- name: write_stop_outs
-- Write stop-outs.
INSERT INTO stop_outs (
    id, account_id, margin_level, equity, used_margin, orders_canceled, positions_closed,
    forgiven, market_at, margin_call_id
)
SELECT *
FROM unnest(
    %(id)s::uuid[], %(account_id)s::uuid[], %(margin_level)s::numeric[], %(equity)s::numeric[],
    %(used_margin)s::numeric[], %(orders_canceled)s::integer[], %(positions_closed)s::integer[],
    %(forgiven)s::numeric[], %(market_at)s::timestamptz[], %(margin_call_id)s::uuid[]
);

-- name: add_user
-- Open a user.
INSERT INTO users (email, client_class, kyc_level)
VALUES (%(email)s, %(client_class)s, %(kyc_level)s)
RETURNING id::text;

-- name: add_role
-- Grant a role, once.
INSERT INTO user_roles (user_id, role)
VALUES (%(user_id)s, %(role)s)
ON CONFLICT (user_id, role) DO NOTHING;

-- name: lock_account_status
-- Read what an account may do, and let a change of it wait for another and for batches.
SELECT status
FROM accounts
WHERE id = %(id)s
FOR NO KEY UPDATE;

-- name: set_account_status
-- Let an account do what it may from now on.
UPDATE accounts
SET status = %(status)s
WHERE id = %(id)s;

-- name: lock_user_status
-- Read what a user may do, and let a change of it wait for another.
SELECT status
FROM users
WHERE id = %(id)s
FOR NO KEY UPDATE;

-- name: set_user_status
-- Let a user do what the user may from now on.
UPDATE users
SET status = %(status)s
WHERE id = %(id)s;

-- name: user_may_trade
-- Read whether a user is active and has the trader's role.
SELECT
    u.status = 'active',
    EXISTS (SELECT FROM user_roles AS r WHERE r.user_id = u.id AND r.role = 'trader')
FROM users AS u
WHERE u.id = %(user_id)s;

-- name: lock_account_group
-- Let one change of a group wait for another.
SELECT code
FROM account_groups
WHERE code = %(code)s
FOR NO KEY UPDATE;

-- name: assign_account_group
-- Put an account into a group; the database lets engines look at it, as what it binds is another.
UPDATE accounts
SET group_code = %(code)s
WHERE id = %(account_id)s
RETURNING id::text;

-- name: grant_account_credit
-- Lend an account more for its margin.
SELECT grant_account_credit(%(account_id)s, %(amount)s);

-- name: withdraw_account_credit
-- Take back some of what an account is lent.
SELECT withdraw_account_credit(%(account_id)s, %(amount)s);

-- name: account_credits
-- Read which accounts are lent anything.
SELECT id::text, currency, credit, balance
FROM accounts
WHERE credit > 0
ORDER BY id;

-- name: set_account_group
-- Open a group of accounts, or change its conditions.
INSERT INTO account_groups (
    code, position_mode, is_swap_free, stop_out_mode, hedged_margin, margin_price, pending_margin,
    regime
)
VALUES (
    %(code)s, %(position_mode)s, %(is_swap_free)s, %(stop_out_mode)s, %(hedged_margin)s,
    %(margin_price)s, %(pending_margin)s, %(regime)s
)
ON CONFLICT (code) DO UPDATE
SET
    position_mode = excluded.position_mode,
    is_swap_free = excluded.is_swap_free,
    stop_out_mode = excluded.stop_out_mode,
    hedged_margin = excluded.hedged_margin,
    margin_price = excluded.margin_price,
    pending_margin = excluded.pending_margin,
    regime = excluded.regime
WHERE (
    account_groups.position_mode,
    account_groups.is_swap_free,
    account_groups.stop_out_mode,
    account_groups.hedged_margin,
    account_groups.margin_price,
    account_groups.pending_margin,
    account_groups.regime
) <> (
    excluded.position_mode,
    excluded.is_swap_free,
    excluded.stop_out_mode,
    excluded.hedged_margin,
    excluded.margin_price,
    excluded.pending_margin,
    excluded.regime
);

-- name: add_account
-- Open a trading account with its holder.
WITH holder AS (
    INSERT INTO ledger_holders (kind, currency)
    VALUES ('account', %(currency)s)
    RETURNING id, kind, currency
)
INSERT INTO accounts (
    id, kind, user_id, group_code, currency, leverage, margin_call_level, stop_out_level, book
)
SELECT
    id, kind, %(user_id)s, %(group_code)s, currency, %(leverage)s, %(margin_call_level)s,
    %(stop_out_level)s, %(book)s
FROM holder
RETURNING id::text;

-- name: add_instrument
-- List an instrument, once.
INSERT INTO instruments (
    symbol, base_currency, quote_currency, quantity_step, quantity_min, quantity_max, price_tick,
    leverage_max, leverage_max_retail, commission_per_million, quote_age_ms_max, is_tradable,
    contract_size, asset_class
)
VALUES (
    %(symbol)s, %(base_currency)s, %(quote_currency)s, %(quantity_step)s, %(quantity_min)s,
    %(quantity_max)s, %(price_tick)s, %(leverage_max)s, %(leverage_max_retail)s,
    %(commission_per_million)s, %(quote_age_ms_max)s, %(is_tradable)s, %(contract_size)s,
    %(asset_class)s
)
ON CONFLICT (symbol) DO NOTHING;

-- name: lock_instrument
-- Let one change of an instrument wait for another.
SELECT symbol
FROM instruments
WHERE symbol = %(symbol)s
FOR NO KEY UPDATE;

-- name: change_instrument
-- Change the terms of an instrument.
UPDATE instruments
SET
    asset_class = %(asset_class)s,
    quantity_step = %(quantity_step)s,
    quantity_min = %(quantity_min)s,
    quantity_max = %(quantity_max)s,
    price_tick = %(price_tick)s,
    leverage_max = %(leverage_max)s,
    leverage_max_retail = %(leverage_max_retail)s,
    commission_per_million = %(commission_per_million)s,
    quote_age_ms_max = %(quote_age_ms_max)s,
    contract_size = %(contract_size)s,
    is_tradable = %(is_tradable)s
WHERE symbol = %(symbol)s
  AND (
      asset_class, quantity_step, quantity_min, quantity_max, price_tick, leverage_max,
      leverage_max_retail, commission_per_million, quote_age_ms_max, contract_size, is_tradable
  ) IS DISTINCT FROM (
      %(asset_class)s, %(quantity_step)s, %(quantity_min)s, %(quantity_max)s, %(price_tick)s,
      %(leverage_max)s, %(leverage_max_retail)s, %(commission_per_million)s,
      %(quote_age_ms_max)s, %(contract_size)s, %(is_tradable)s
  );

-- name: add_trading_session
-- Let an instrument be traded in a session of the week, once.
INSERT INTO trading_sessions (
    symbol, opens_weekday, opens_at, closes_weekday, closes_at, timezone
)
VALUES (
    %(symbol)s, %(opens_weekday)s, %(opens_at)s, %(closes_weekday)s, %(closes_at)s, %(timezone)s
)
ON CONFLICT (symbol, opens_weekday, opens_at) DO NOTHING;

-- name: add_provider
-- List a liquidity provider, once.
INSERT INTO liquidity_providers (code, priority, fee_bps, quantity_min, quantity_max)
VALUES (%(code)s, %(priority)s, %(fee_bps)s, %(quantity_min)s, %(quantity_max)s)
ON CONFLICT (code) DO NOTHING;

-- name: provider_corrections
-- Read busts and corrections, the oldest first or the one that is named, beside what we have booked.
-- One may refer to a correction before it (FIX ExecRefID): followed is the chain to the execution.
SELECT
    c.id::text,
    p.code,
    c.kind,
    c.execution_id,
    c.refers_to,
    c.request_id,
    c.symbol,
    c.quantity,
    c.price,
    c.told_at,
    clock_timestamp() - c.received_at,
    CASE
        WHEN f.id IS NOT NULL THEN 'fill'
        WHEN h.hedge_id IS NOT NULL THEN 'hedge'
        WHEN u.id IS NOT NULL THEN 'set_aside'
        ELSE 'unknown'
    END,
    o.id::text,
    o.account_id::text,
    f.id::text,
    coalesce(f.quantity, abs(h.quantity), u.quantity),
    coalesce(f.price, h.price, u.price),
    s.settlement,
    s.actor,
    s.reason,
    s.approved_by,
    (SELECT sum(j.amount) FROM trade_adjustments AS j WHERE j.correction_id = c.id),
    v.quantity,
    v.given_back,
    f.quantity + u.quantity
FROM provider_corrections AS c
JOIN liquidity_providers AS p ON p.id = c.provider_id
LEFT JOIN provider_correction_settlements AS s ON s.correction_id = c.id
CROSS JOIN LATERAL (SELECT first_execution(c.provider_id, c.refers_to) AS refers_to) AS first
LEFT JOIN order_fills AS f
    ON f.provider_id = c.provider_id AND f.provider_execution_id = first.refers_to
LEFT JOIN orders AS o ON o.id = f.order_id
LEFT JOIN hedge_fills AS h
    ON h.provider_id = c.provider_id AND h.provider_execution_id = first.refers_to
LEFT JOIN unsolicited_fills AS u
    ON u.provider_id = c.provider_id AND u.provider_execution_id = first.refers_to
LEFT JOIN LATERAL (
    SELECT
        sum(abs(t.quantity)) AS quantity,
        sum(
            r.commission + r.adjustment
            + (SELECT coalesce(sum(w.amount), 0) FROM position_rollovers AS w WHERE w.trade_id = t.id)
        ) AS given_back
    FROM trade_reversals AS r
    JOIN trades AS t ON t.id = r.reversing_id
    WHERE r.correction_id = c.id
) AS v ON true
WHERE (%(with_settled)s OR s.correction_id IS NULL)
  AND (%(correction_id)s::uuid IS NULL OR c.id = %(correction_id)s::uuid)
ORDER BY c.id
LIMIT %(count_max)s;

-- name: settle_provider_correction
-- Write what was decided about a bust or a correction, once.
INSERT INTO provider_correction_settlements (correction_id, settlement, actor, reason, approved_by)
VALUES (%(correction_id)s::uuid, %(settlement)s, %(actor)s, %(reason)s, %(approved_by)s)
ON CONFLICT (correction_id) DO NOTHING
RETURNING correction_id;

-- name: lock_execution_account
-- Lock the account of a fill, so that one correction of its trades is booked after the other.
SELECT
    a.id::text,
    a.currency,
    o.id::text,
    o.symbol,
    CASE o.side WHEN 'buy' THEN f.quantity ELSE -f.quantity END,
    f.provider_execution_id
FROM order_fills AS f
JOIN orders AS o ON o.id = f.order_id
JOIN accounts AS a ON a.id = o.account_id
WHERE f.id = %(fill_id)s::uuid
FOR UPDATE OF a;

-- name: trades_to_adjust
-- Read the trades that an execution has made, at the price at which each stands.
SELECT
    t.id::text,
    t.quantity,
    coalesce(
        (
            SELECT j.price
            FROM trade_adjustments AS j
            WHERE j.trade_id = t.id
            ORDER BY j.booked_at DESC
            LIMIT 1
        ),
        t.price
    ),
    t.conversion_rate
FROM trades AS t
WHERE t.fill_id = %(fill_id)s::uuid AND t.effect <> 'reverse'
ORDER BY t.id;

-- name: add_trade_adjustment
-- Write what a trade is given or charged for the price that its provider has corrected.
INSERT INTO trade_adjustments (trade_id, correction_id, id, price_before, price, amount)
VALUES (
    %(trade_id)s::uuid, %(correction_id)s::uuid, %(id)s::uuid, %(price_before)s, %(price)s, %(amount)s
);

-- name: opened_by_fill
-- Read the trade by which a fill has opened something, with what it was given for corrected prices.
SELECT
    t.id::text,
    t.position_id::text,
    t.position_version,
    t.quantity,
    t.price,
    t.conversion_rate,
    t.commission,
    (SELECT coalesce(sum(j.amount), 0) FROM trade_adjustments AS j WHERE j.trade_id = t.id),
    EXISTS (SELECT FROM trade_reversals AS r WHERE r.trade_id = t.id)
FROM trades AS t
WHERE t.fill_id = %(fill_id)s::uuid AND t.effect = 'open';

-- name: trades_since
-- Read what was done with a position after one of its trades.
SELECT t.effect, t.quantity, t.position_quantity
FROM trades AS t
WHERE t.position_id = %(position_id)s::uuid AND t.position_version > %(version)s
ORDER BY t.position_version;

-- name: position_held
-- Read what is open of a position, with the step of its instrument.
SELECT p.quantity, i.quantity_step
FROM positions AS p
JOIN instruments AS i ON i.symbol = p.symbol
WHERE p.id = %(position_id)s::uuid AND p.is_open;

-- name: swaps_of_trade
-- Read what the position of a trade has paid or earned over the days for which that was open, and as what.
SELECT
    r.rollover_on,
    max(r.days),
    sum(r.quantity),
    sum(r.amount),
    (array_agg(r.conversion_rate ORDER BY r.id))[1],
    r.operation
FROM trades AS t
JOIN order_fills AS f ON f.id = t.fill_id
JOIN position_rollovers AS r ON r.position_id = t.position_id
JOIN trading_days AS d ON d.ended_on = r.rollover_on
WHERE t.id = %(trade_id)s::uuid
  AND (
      t.executed_at < d.ended_at
      OR (f.provider_execution_id IS NOT NULL AND f.quoted_at < end_of_trading_day(r.rollover_on))
  )
GROUP BY r.rollover_on, r.operation
ORDER BY r.rollover_on;

-- name: add_trade_reversal
-- Write by which trade what was open of another was taken back, and what was given back with it.
INSERT INTO trade_reversals (trade_id, correction_id, reversing_id, commission, adjustment)
VALUES (
    %(trade_id)s::uuid, %(correction_id)s::uuid, %(reversing_id)s::uuid, %(commission)s,
    %(adjustment)s
);

-- fragment: unsolicited_with_resolutions
-- Executions that were set aside, with what was decided about them.
SELECT
    u.id::text,
    p.code,
    u.provider_execution_id,
    u.request_id,
    u.symbol,
    u.side,
    u.quantity,
    u.price,
    u.reason,
    u.executed_at,
    clock_timestamp() - u.received_at,
    r.resolution,
    r.actor,
    r.reason
FROM unsolicited_fills AS u
JOIN liquidity_providers AS p ON p.id = u.provider_id
LEFT JOIN unsolicited_fill_resolutions AS r ON r.fill_id = u.id

-- name: unsolicited_fills
-- Read executions that were set aside, the oldest first.
-- use: unsolicited_with_resolutions
WHERE %(with_resolved)s OR r.fill_id IS NULL
ORDER BY u.id
LIMIT %(count_max)s;

-- name: unsolicited_fill
-- Read one execution that was set aside.
-- use: unsolicited_with_resolutions
WHERE u.id = %(fill_id)s::uuid;

-- name: resolve_unsolicited_fill
-- Write what was decided about an execution that was set aside, once; only one kept is still held.
WITH resolved AS (
    INSERT INTO unsolicited_fill_resolutions (fill_id, resolution, actor, reason)
    VALUES (%(fill_id)s::uuid, %(resolution)s, %(actor)s, %(reason)s)
    ON CONFLICT (fill_id) DO NOTHING
    RETURNING fill_id, resolution
), given_back AS (
    INSERT INTO exposure_changes (symbol, change)
    SELECT f.symbol, CASE f.side WHEN 'buy' THEN -f.quantity ELSE f.quantity END
    FROM resolved AS r
    JOIN unsolicited_fills AS f ON f.id = r.fill_id
    WHERE r.resolution <> 'kept'
)
SELECT fill_id
FROM resolved;

-- name: list_users
-- List users with their roles, the newest first; of an id or an address the one who has it.
SELECT
    u.id::text,
    u.email,
    u.client_class,
    u.kyc_level,
    u.status,
    ARRAY(SELECT r.role FROM user_roles AS r WHERE r.user_id = u.id ORDER BY r.role),
    u.created_at
FROM users AS u
WHERE (%(status)s::text IS NULL OR u.status = %(status)s)
  AND (%(id)s::uuid IS NULL OR u.id = %(id)s::uuid)
  AND (%(email)s::text IS NULL OR u.email = lower(%(email)s))
  AND (
      %(before)s::uuid IS NULL
      OR (u.created_at, u.id) < (SELECT b.created_at, b.id FROM users AS b WHERE b.id = %(before)s::uuid)
  )
ORDER BY u.created_at DESC, u.id DESC
LIMIT %(count_max)s::integer;

-- name: list_accounts
-- List accounts with what is open in them, the newest first.
SELECT
    a.id::text,
    a.user_id::text,
    u.email,
    a.group_code,
    a.currency,
    a.leverage,
    a.book,
    a.margin_call_level,
    a.stop_out_level,
    a.status,
    a.balance,
    a.credit,
    (SELECT count(*) FROM positions AS p WHERE p.account_id = a.id AND p.is_open),
    (SELECT count(*) FROM orders AS o WHERE o.account_id = a.id AND o.remaining_quantity > 0),
    a.created_at
FROM accounts AS a
JOIN users AS u ON u.id = a.user_id
WHERE (%(id)s::uuid IS NULL OR a.id = %(id)s::uuid)
  AND (%(user_id)s::uuid IS NULL OR a.user_id = %(user_id)s::uuid)
  AND (%(group_code)s::text IS NULL OR a.group_code = %(group_code)s)
  AND (%(status)s::text IS NULL OR a.status = %(status)s)
  AND (%(book)s::text IS NULL OR a.book = %(book)s)
  AND (
      %(before)s::uuid IS NULL
      OR (a.created_at, a.id) < (SELECT b.created_at, b.id FROM accounts AS b WHERE b.id = %(before)s::uuid)
  )
ORDER BY a.created_at DESC, a.id DESC
LIMIT %(count_max)s::integer;

-- name: list_orders
-- List orders, the newest first: their ids are in order of time.
SELECT
    o.id::text,
    o.account_id::text,
    o.client_order_id,
    o.symbol,
    o.side,
    o.order_type,
    o.time_in_force,
    o.origin,
    o.book,
    o.quantity,
    o.filled_quantity,
    o.remaining_quantity,
    o.average_price,
    o.limit_price,
    o.stop_price,
    o.stop_loss,
    o.take_profit,
    o.status,
    o.is_routed,
    o.refused_by,
    o.refusal_code,
    o.expires_at,
    o.created_at,
    o.updated_at
FROM orders AS o
JOIN accounts AS a ON a.id = o.account_id
WHERE (%(id)s::uuid IS NULL OR o.id = %(id)s::uuid)
  AND (%(account_id)s::uuid IS NULL OR o.account_id = %(account_id)s::uuid)
  AND (%(user_id)s::uuid IS NULL OR a.user_id = %(user_id)s::uuid)
  AND (%(symbol)s::text IS NULL OR o.symbol = %(symbol)s)
  AND (%(status)s::text IS NULL OR o.status = %(status)s)
  AND (%(client_order_id)s::text IS NULL OR o.client_order_id = %(client_order_id)s)
  AND (NOT %(is_live)s::boolean OR o.remaining_quantity > 0)
  AND (%(before)s::uuid IS NULL OR o.id < %(before)s::uuid)
ORDER BY o.id DESC
LIMIT %(count_max)s::integer;

-- name: events_of_order
-- Read the events of an order, oldest first.
SELECT seq, event_type, from_status, to_status, quantity, price, actor, occurred_at
FROM order_events
WHERE order_id = %(order_id)s::uuid
ORDER BY seq;

-- name: list_positions
-- List positions, the newest first.
SELECT
    p.id::text,
    p.account_id::text,
    p.symbol,
    p.position_mode,
    p.quantity,
    p.average_price,
    p.realised_pnl,
    p.stop_loss,
    p.take_profit,
    p.is_open,
    p.opened_at,
    p.closed_at
FROM positions AS p
JOIN accounts AS a ON a.id = p.account_id
WHERE (p.is_open OR %(with_closed)s::boolean)
  AND (%(account_id)s::uuid IS NULL OR p.account_id = %(account_id)s::uuid)
  AND (%(user_id)s::uuid IS NULL OR a.user_id = %(user_id)s::uuid)
  AND (%(id)s::uuid IS NULL OR p.id = %(id)s::uuid)
  AND (%(symbol)s::text IS NULL OR p.symbol = %(symbol)s)
  AND (
      %(before)s::uuid IS NULL
      OR (p.opened_at, p.id) < (SELECT b.opened_at, b.id FROM positions AS b WHERE b.id = %(before)s::uuid)
  )
ORDER BY p.opened_at DESC, p.id DESC
LIMIT %(count_max)s::integer;

-- name: list_trades
-- List what was done to the positions of an account, the newest first.
SELECT
    t.id::text,
    t.account_id::text,
    t.position_id::text,
    f.order_id::text,
    p.symbol,
    t.effect,
    t.quantity,
    t.price,
    t.realised_pnl,
    t.commission,
    t.executed_at
FROM trades AS t
JOIN positions AS p ON p.id = t.position_id
LEFT JOIN order_fills AS f ON f.id = t.fill_id
WHERE t.account_id = %(account_id)s::uuid
  AND (%(position_id)s::uuid IS NULL OR t.position_id = %(position_id)s::uuid)
  AND (
      %(before)s::uuid IS NULL
      OR (t.executed_at, t.id) < (SELECT b.executed_at, b.id FROM trades AS b WHERE b.id = %(before)s::uuid)
  )
ORDER BY t.executed_at DESC, t.id DESC
LIMIT %(count_max)s::integer;
