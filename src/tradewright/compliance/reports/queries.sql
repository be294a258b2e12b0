-- fragment: order_event_scope
-- Which events of orders a report is about.
FROM order_events AS e
JOIN orders AS o ON o.id = e.order_id
WHERE (%(begin)s::timestamptz IS NULL OR e.occurred_at >= %(begin)s::timestamptz)
  AND (%(end)s::timestamptz IS NULL OR e.occurred_at < %(end)s::timestamptz)
  AND (%(account_id)s::uuid IS NULL OR o.account_id = %(account_id)s::uuid)
  AND (%(order_id)s::uuid IS NULL OR o.id = %(order_id)s::uuid)
  AND (%(symbol)s::text IS NULL OR o.symbol = %(symbol)s::text)

-- name: order_record_counts
-- Count the events and orders of the order records.
SELECT count(*), count(DISTINCT e.order_id)
-- use: order_event_scope
;

-- name: order_records
-- Read each event with its order as it was then, in the order of time.
WITH told AS (
    SELECT e.*
    -- use: order_event_scope
)
SELECT
    e.order_id::text,
    e.seq,
    e.event_type,
    e.occurred_at,
    e.to_status,
    e.actor,
    coalesce(e.details, '{}') AS details,
    CASE WHEN e.seq = o.version THEN o.refusal_code END AS refusal_code,
    first.occurred_at AS received_at,
    a.user_id::text,
    o.account_id::text,
    o.origin,
    o.side,
    o.symbol,
    o.book,
    o.order_type,
    o.time_in_force,
    o.expires_at,
    o.is_post_only,
    CASE WHEN next.was IS NULL THEN o.limit_price ELSE (next.was ->> 'limit_price')::numeric END AS limit_price,
    CASE
        WHEN o.order_type = 'trailing_stop' AND NOT woken.is_woken THEN stop.price
        WHEN next.was IS NULL OR o.order_type = 'trailing_stop' THEN o.stop_price
        ELSE (next.was ->> 'stop_price')::numeric
    END AS stop_price,
    i.quote_currency,
    i.base_currency,
    coalesce((earliest.was ->> 'quantity')::numeric, o.quantity) AS initial_quantity,
    coalesce((next.was ->> 'quantity')::numeric, o.quantity) AS quantity,
    e.quantity AS executed_quantity,
    e.price,
    before.filled,
    jsonb_strip_nulls(jsonb_build_object(
        'client_order_id', coalesce(named.key, o.client_order_id),
        'asked_to_replace', CASE WHEN e.event_type = 'pending_replace' THEN e.details -> 'asked' END,
        'trail', o.trailing_terms,
        'stop_loss', o.stop_loss::text,
        'take_profit', o.take_profit::text,
        'reduce_only', CASE WHEN o.is_reduce_only THEN true END,
        'one_cancels_other', o.oco_group,
        'closes_position', c.position_id,
        'tags', o.metadata
    )) AS instructions,
    o.engine_id::text,
    f.id::text,
    f.is_maker,
    p.code,
    f.provider_execution_id,
    m.messages,
    w.corrections
FROM told AS e
JOIN orders AS o ON o.id = e.order_id
JOIN accounts AS a ON a.id = o.account_id
JOIN instruments AS i ON i.symbol = o.symbol
JOIN order_events AS first ON first.order_id = e.order_id AND first.seq = 1
LEFT JOIN closing_orders AS c ON c.order_id = o.id
LEFT JOIN LATERAL (
    SELECT n.key
    FROM order_replacements AS n
    WHERE n.order_id = e.order_id AND n.order_version <= e.seq
    ORDER BY n.order_version DESC
    LIMIT 1
) AS named ON true
LEFT JOIN LATERAL (
    SELECT x.details -> 'was' AS was
    FROM order_events AS x
    WHERE x.order_id = e.order_id AND x.seq > e.seq AND x.details ? 'was'
    ORDER BY x.seq
    LIMIT 1
) AS next ON true
LEFT JOIN LATERAL (
    SELECT x.details -> 'was' AS was
    FROM order_events AS x
    WHERE x.order_id = e.order_id AND x.details ? 'was'
    ORDER BY x.seq
    LIMIT 1
) AS earliest ON true
CROSS JOIN LATERAL (
    SELECT count(*) > 0 AS is_woken
    FROM order_events AS x
    WHERE x.order_id = e.order_id AND x.seq <= e.seq AND x.event_type = 'triggered'
) AS woken
LEFT JOIN LATERAL (
    SELECT coalesce((x.details ->> 'stop_price')::numeric, r.stop_price) AS price
    FROM order_events AS x
    LEFT JOIN order_replacements AS r ON r.order_id = x.order_id AND r.order_version = x.seq
    WHERE x.order_id = e.order_id
      AND x.seq <= e.seq
      AND (x.details ? 'stop_price' OR r.stop_price IS NOT NULL)
    ORDER BY x.seq DESC
    LIMIT 1
) AS stop ON true
CROSS JOIN LATERAL (
    SELECT
        coalesce(sum(x.quantity), 0) AS filled,
        count(*) FILTER (WHERE x.quantity = e.quantity AND x.price = e.price AND x.seq < e.seq) AS alike
    FROM order_events AS x
    WHERE x.order_id = e.order_id AND x.seq <= e.seq AND x.event_type = 'trade'
) AS before
LEFT JOIN LATERAL (
    SELECT d.id, d.is_maker, d.provider_id, d.provider_execution_id
    FROM order_fills AS d
    WHERE d.order_id = e.order_id AND d.quantity = e.quantity AND d.price = e.price
    ORDER BY d.id
    OFFSET before.alike
    LIMIT 1
) AS f ON true
LEFT JOIN liquidity_providers AS p ON p.id = f.provider_id
LEFT JOIN LATERAL (
    SELECT jsonb_agg(
        jsonb_build_object(
            'provider', q.code,
            'request_id', r.request_id,
            'quantity', r.quantity::text,
            'price', r.price::text,
            'requested_at', to_char(r.requested_at, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
            'decided_at', to_char(r.decided_at, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
            'hold_ms', r.hold_ms,
            'answer', coalesce(r.reason, 'accepted')
        )
        ORDER BY r.requested_at, r.decided_at, r.id
    ) AS messages
    FROM provider_requests AS r
    JOIN liquidity_providers AS q ON q.id = r.provider_id
    WHERE r.order_id = e.order_id AND r.request_id LIKE e.order_id || '-' || e.seq || '-%%'
) AS m ON true
LEFT JOIN (
    -- A correction may be of a correction: all are of the execution that was told first.
    SELECT k.provider_id, x.execution_id, jsonb_agg(
        jsonb_strip_nulls(jsonb_build_object(
            'kind', k.kind,
            'execution_id', k.execution_id,
            'quantity', trim_scale(k.quantity)::text,
            'price', trim_scale(k.price)::text,
            'received_at', to_char(k.received_at, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
            'settlement', z.settlement,
            'settled_at', to_char(z.settled_at, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
            'settled_by', z.actor,
            'approved_by', z.approved_by
        ))
        ORDER BY k.received_at, k.id
    ) AS corrections
    FROM provider_corrections AS k
    CROSS JOIN LATERAL (SELECT first_execution(k.provider_id, k.refers_to) AS execution_id) AS x
    LEFT JOIN provider_correction_settlements AS z ON z.correction_id = k.id
    GROUP BY k.provider_id, x.execution_id
) AS w ON w.provider_id = f.provider_id AND w.execution_id = f.provider_execution_id
ORDER BY e.occurred_at, e.order_id, e.seq;

-- name: clock_range
-- Read the range that can be known: until now at most.
SELECT
    coalesce(%(begin)s::timestamptz, (SELECT min(sampled_at) FROM clock_samples)),
    least(coalesce(%(end)s::timestamptz, clock_timestamp()), clock_timestamp());

-- name: clock_samples
-- Read the samples of a range by host and time, with the last one before it and the first one after it.
SELECT s.host, s.sampled_at, s.verdict, s.divergence_us_max
FROM (SELECT DISTINCT host FROM clock_samples) AS h
JOIN clock_samples AS s ON s.host = h.host
WHERE (
      %(begin)s::timestamptz IS NULL
      OR s.sampled_at >= coalesce(
          (
              SELECT max(b.sampled_at)
              FROM clock_samples AS b
              WHERE b.host = h.host AND b.sampled_at < %(begin)s::timestamptz
          ),
          %(begin)s::timestamptz
      )
  )
  AND (
      %(end)s::timestamptz IS NULL
      OR s.sampled_at <= coalesce(
          (
              SELECT min(a.sampled_at)
              FROM clock_samples AS a
              WHERE a.host = h.host AND a.sampled_at >= %(end)s::timestamptz
          ),
          %(end)s::timestamptz
      )
  )
ORDER BY s.host, s.sampled_at, s.id;

-- fragment: dealing_attempts
-- Each request to a provider for an order, and each execution of the house itself, with what was seen then.
WITH asked AS (
    SELECT
        r.id,
        'A' AS book,
        r.order_id,
        r.provider_id,
        r.quantity,
        r.reason,
        r.requested_at AS dealing_at,
        r.decided_at AS dealt_at,
        r.hold_ms::numeric AS hold_ms,
        extract(epoch FROM r.decided_at - r.requested_at) * 1000 AS answer_ms,
        extract(epoch FROM r.requested_at - coalesce(k.ranked_at, r.requested_at)) * 1000 AS queue_ms,
        extract(epoch FROM r.decided_at - coalesce(k.ranked_at, r.requested_at)) * 1000 AS total_ms,
        f.dealt_quantity,
        f.value / nullif(f.dealt_quantity, 0) AS price,
        f.is_reversed,
        s.details AS seen,
        k.best_price AS ranked_price
    FROM provider_requests AS r
    JOIN orders AS o ON o.id = r.order_id
    LEFT JOIN LATERAL (
        SELECT max(b.decided_at) AS decided_at
        FROM provider_requests AS b
        WHERE b.order_id = r.order_id AND b.provider_id = r.provider_id AND b.decided_at < r.decided_at
    ) AS before ON true
    CROSS JOIN LATERAL (
        SELECT
            coalesce(sum(d.quantity), 0) AS dealt_quantity,
            sum(d.quantity * d.price) AS value,
            coalesce(bool_or(EXISTS (
                SELECT FROM trades AS t JOIN trade_reversals AS v ON v.trade_id = t.id WHERE t.fill_id = d.id
            )), false) AS is_reversed
        FROM order_fills AS d
        WHERE d.order_id = r.order_id
          AND d.provider_id = r.provider_id
          AND d.provider_execution_id IS NOT NULL
          AND d.quoted_at <= r.decided_at
          AND d.quoted_at > coalesce(before.decided_at, '-infinity')
    ) AS f
    LEFT JOIN LATERAL (
        -- What an order saw before it was replaced is nothing to measure by; a replacement has its own.
        SELECT CASE e.event_type WHEN 'replaced' THEN nullif(e.details -> 'quotes', '{}') ELSE e.details END AS details
        FROM order_events AS e
        WHERE e.order_id = r.order_id
          AND e.seq <= substring(r.request_id FROM '^.{36}-([0-9]{1,9})-')::integer
          AND e.event_type IN ('new', 'triggered', 'restated', 'replaced')
          AND (e.event_type = 'replaced' OR jsonb_typeof(jsonb_path_query_first(e.details, '$.*')) = 'array')
        ORDER BY e.seq DESC
        LIMIT 1
    ) AS s ON true
    LEFT JOIN LATERAL (
        SELECT
            n.ranked_at,
            (
                SELECT CASE o.side WHEN 'buy' THEN min(c.price) ELSE max(c.price) END
                FROM jsonb_to_recordset(n.candidates) AS c (price numeric)
            ) AS best_price
        FROM routing_rankings AS n
        WHERE n.order_id = r.order_id AND n.ranked_at <= r.requested_at
        ORDER BY n.ranked_at DESC, n.id DESC
        LIMIT 1
    ) AS k ON true
    WHERE (%(begin)s::timestamptz IS NULL OR r.requested_at >= %(begin)s::timestamptz)
      AND (%(end)s::timestamptz IS NULL OR r.requested_at < %(end)s::timestamptz)
      AND (%(symbol)s::text IS NULL OR o.symbol = %(symbol)s::text)
    UNION ALL
    SELECT
        d.id,
        'B',
        d.order_id,
        d.provider_id,
        d.quantity,
        NULL,
        d.quoted_at,
        d.quoted_at,
        NULL,
        NULL,
        NULL,
        NULL,
        d.quantity,
        d.price,
        false,
        s.details,
        NULL
    FROM order_fills AS d
    JOIN orders AS o ON o.id = d.order_id
    JOIN liquidity_providers AS p ON p.id = d.provider_id
    LEFT JOIN LATERAL (
        SELECT q.seen AS details
        FROM order_events AS e
        CROSS JOIN LATERAL (
            SELECT CASE e.event_type WHEN 'replaced' THEN nullif(e.details -> 'quotes', '{}') ELSE e.details END AS seen
        ) AS q
        WHERE e.order_id = d.order_id
          AND e.event_type IN ('new', 'triggered', 'restated', 'replaced')
          AND (q.seen -> p.code ->> 2)::timestamptz = d.quoted_at
        ORDER BY e.seq DESC
        LIMIT 1
    ) AS s ON true
    WHERE d.provider_execution_id IS NULL
      AND (%(begin)s::timestamptz IS NULL OR d.quoted_at >= %(begin)s::timestamptz)
      AND (%(end)s::timestamptz IS NULL OR d.quoted_at < %(end)s::timestamptz)
      AND (%(symbol)s::text IS NULL OR o.symbol = %(symbol)s::text)
), attempts AS (
    SELECT
        a.*,
        p.code AS provider,
        o.symbol,
        i.quote_currency,
        CASE o.side WHEN 'buy' THEN 1 ELSE -1 END AS sign,
        CASE
            WHEN a.quantity <= i.contract_size THEN 'to 1'
            WHEN a.quantity <= 10 * i.contract_size THEN 'to 10'
            WHEN a.quantity <= 50 * i.contract_size THEN 'to 50'
            ELSE 'above 50'
        END AS lots,
        (a.dealing_at AT TIME ZONE 'UTC')::date AS day,
        (q.bid + q.ask) / 2 AS mid,
        q.ask - q.bid AS spread,
        q.bid > q.ask AS is_crossed,
        CASE o.side WHEN 'buy' THEN q.ask ELSE q.bid END AS best_price,
        CASE o.side
            WHEN 'buy' THEN (a.seen -> p.code ->> 1)::numeric
            ELSE (a.seen -> p.code ->> 0)::numeric
        END AS own_price,
        a.dealt_quantity > 0 AND q.bid <= q.ask AND NOT a.is_reversed AS is_measured
    FROM asked AS a
    JOIN orders AS o ON o.id = a.order_id
    JOIN instruments AS i ON i.symbol = o.symbol
    JOIN liquidity_providers AS p ON p.id = a.provider_id
    LEFT JOIN LATERAL (
        SELECT max((quote.value ->> 0)::numeric) AS bid, min((quote.value ->> 1)::numeric) AS ask
        FROM jsonb_each(a.seen) AS quote
    ) AS q ON true
    WHERE %(provider)s::text IS NULL OR p.code = %(provider)s::text
)

-- name: best_execution_counts
-- Count the attempts, and those of which prices cannot be measured, with why.
-- use: dealing_attempts
SELECT
    count(*),
    count(*) FILTER (WHERE dealt_quantity > 0),
    count(*) FILTER (WHERE is_measured),
    count(*) FILTER (WHERE dealt_quantity > 0 AND seen IS NULL),
    count(*) FILTER (WHERE dealt_quantity > 0 AND is_crossed),
    count(*) FILTER (WHERE is_reversed),
    (
        SELECT count(*)
        FROM provider_requests AS h
        WHERE h.hedge_id IS NOT NULL
          AND (%(begin)s::timestamptz IS NULL OR h.requested_at >= %(begin)s::timestamptz)
          AND (%(end)s::timestamptz IS NULL OR h.requested_at < %(end)s::timestamptz)
    ),
    (SELECT count(*) FROM orders AS w WHERE w.is_routed)
FROM attempts;

-- name: best_execution
-- Measure the attempts by book, provider, instrument, size and day, and together; each figure from the attempts.
-- use: dealing_attempts
, measured AS (
    SELECT
        a.*,
        CASE WHEN a.is_measured THEN 2 * a.sign * (a.price - a.mid) / a.mid * 10000 END AS effective_bps,
        CASE WHEN a.is_measured THEN a.spread / a.mid * 10000 END AS quoted_bps,
        CASE WHEN a.is_measured THEN a.sign * (a.price - a.own_price) / a.mid * 10000 END AS slippage_bps,
        CASE
            WHEN a.is_measured THEN a.sign * (a.price - coalesce(a.ranked_price, a.best_price)) / a.mid * 10000
        END AS behind_bps,
        CASE WHEN a.is_measured THEN a.sign * (a.own_price - a.price) * a.dealt_quantity END AS gained
    FROM attempts AS a
), mids AS (
    SELECT o.symbol, q.quoted_at, (q.bid + q.ask) / 2 AS mid
    FROM order_events AS e
    JOIN orders AS o ON o.id = e.order_id
    CROSS JOIN LATERAL (
        SELECT CASE e.event_type WHEN 'replaced' THEN nullif(e.details -> 'quotes', '{}') ELSE e.details END AS quotes
    ) AS seen
    CROSS JOIN LATERAL (
        SELECT
            max((quote.value ->> 0)::numeric) AS bid,
            min((quote.value ->> 1)::numeric) AS ask,
            max((quote.value ->> 2)::timestamptz) AS quoted_at
        FROM jsonb_each(seen.quotes) AS quote
        WHERE jsonb_typeof(jsonb_path_query_first(seen.quotes, '$.*')) = 'array'
    ) AS q
    WHERE e.event_type IN ('new', 'triggered', 'restated', 'replaced')
      AND q.bid <= q.ask
      AND (%(symbol)s::text IS NULL OR o.symbol = %(symbol)s::text)
      AND (%(begin)s::timestamptz IS NULL OR q.quoted_at >= %(begin)s::timestamptz)
      AND (%(end)s::timestamptz IS NULL OR q.quoted_at <= %(end)s::timestamptz + interval '61 s')
), known AS (
    SELECT k.*, count(k.mid) OVER (PARTITION BY k.symbol ORDER BY k.at, k.place ROWS UNBOUNDED PRECEDING) AS piece
    FROM (
        SELECT symbol, quoted_at AS at, mid, 0 AS place, NULL::uuid AS id, NULL::integer AS ms
        FROM mids
        UNION ALL
        SELECT m.symbol, m.dealt_at + make_interval(secs => h.ms / 1000.0), NULL, 1, m.id, h.ms
        FROM measured AS m
        CROSS JOIN (VALUES (100), (1000), (10000), (60000)) AS h (ms)
        WHERE m.is_measured
    ) AS k
), later AS (
    SELECT
        t.id,
        t.ms,
        CASE WHEN t.at - t.stood_at <= make_interval(secs => t.ms / 2000.0) THEN t.stood END AS mid
    FROM (
        SELECT
            w.*,
            first_value(w.mid) OVER (PARTITION BY w.symbol, w.piece ORDER BY w.at, w.place) AS stood,
            first_value(w.at) OVER (PARTITION BY w.symbol, w.piece ORDER BY w.at, w.place) AS stood_at
        FROM known AS w
    ) AS t
    WHERE t.place = 1
), marked AS (
    SELECT
        m.*,
        m.sign * (l.ms_100 - m.price) / m.price * 10000 AS markout_100ms_bps,
        m.sign * (l.ms_1000 - m.price) / m.price * 10000 AS markout_1s_bps,
        m.sign * (l.ms_10000 - m.price) / m.price * 10000 AS markout_10s_bps,
        m.sign * (l.ms_60000 - m.price) / m.price * 10000 AS markout_60s_bps
    FROM measured AS m
    LEFT JOIN (
        SELECT
            id,
            max(mid) FILTER (WHERE ms = 100) AS ms_100,
            max(mid) FILTER (WHERE ms = 1000) AS ms_1000,
            max(mid) FILTER (WHERE ms = 10000) AS ms_10000,
            max(mid) FILTER (WHERE ms = 60000) AS ms_60000
        FROM later
        GROUP BY id
    ) AS l ON l.id = m.id
)
SELECT
    m.book,
    m.provider,
    m.symbol,
    m.lots,
    m.day,
    count(*) AS requests,
    sum(m.quantity) AS quantity_asked,
    sum(m.dealt_quantity) AS quantity_dealt,
    round(count(*) FILTER (WHERE m.dealt_quantity >= m.quantity) / count(*)::numeric, 6) AS fill_rate,
    round(count(*) FILTER (WHERE m.dealt_quantity > 0 AND m.dealt_quantity < m.quantity) / count(*)::numeric, 6) AS partial_rate,
    round(count(*) FILTER (WHERE m.dealt_quantity = 0) / count(*)::numeric, 6) AS reject_rate,
    round(count(*) FILTER (WHERE m.answer_ms > %(answer_ms_max)s) / count(*)::numeric, 6) AS timeout_rate,
    round(sum(m.dealt_quantity) / sum(m.quantity), 6) AS quantity_fill_rate,
    (
        SELECT jsonb_object_agg(x.reason, x.count ORDER BY x.reason)
        FROM (
            SELECT y.reason, count(*) AS count
            FROM unnest(array_agg(m.reason) FILTER (WHERE m.dealt_quantity = 0 AND m.reason IS NOT NULL)) AS y (reason)
            GROUP BY y.reason
        ) AS x
    ) AS rejections,
    count(*) FILTER (WHERE m.is_measured) AS measured,
    round(sum(m.effective_bps * m.dealt_quantity) / nullif(sum(m.dealt_quantity) FILTER (WHERE m.is_measured), 0), 6) AS effective_spread_bps,
    round((percentile_cont(0.5) WITHIN GROUP (ORDER BY m.effective_bps))::numeric, 6) AS effective_spread_bps_p50,
    round((percentile_cont(0.9) WITHIN GROUP (ORDER BY m.effective_bps))::numeric, 6) AS effective_spread_bps_p90,
    round(sum(m.quoted_bps * m.dealt_quantity) / nullif(sum(m.dealt_quantity) FILTER (WHERE m.is_measured), 0), 6) AS quoted_spread_bps,
    round(sum(m.effective_bps * m.dealt_quantity) / nullif(sum(m.quoted_bps * m.dealt_quantity), 0), 6) AS effective_over_quoted,
    count(*) FILTER (WHERE m.slippage_bps < 0) AS improved,
    coalesce(sum(m.gained) FILTER (WHERE m.gained > 0), 0) AS improved_amount,
    count(*) FILTER (WHERE m.slippage_bps > 0) AS worsened,
    coalesce(-sum(m.gained) FILTER (WHERE m.gained < 0), 0) AS worsened_amount,
    count(*) FILTER (WHERE m.slippage_bps = 0) AS unchanged,
    m.quote_currency AS currency,
    round((percentile_cont(0.05) WITHIN GROUP (ORDER BY m.slippage_bps))::numeric, 6) AS slippage_bps_p5,
    round((percentile_cont(0.5) WITHIN GROUP (ORDER BY m.slippage_bps))::numeric, 6) AS slippage_bps_p50,
    round((percentile_cont(0.95) WITHIN GROUP (ORDER BY m.slippage_bps))::numeric, 6) AS slippage_bps_p95,
    round(
        (count(*) FILTER (WHERE m.slippage_bps < 0) - count(*) FILTER (WHERE m.slippage_bps > 0))::numeric
        / nullif(count(*) FILTER (WHERE m.slippage_bps <> 0), 0),
        6
    ) AS symmetry,
    round(sum(m.behind_bps * m.dealt_quantity) / nullif(sum(m.dealt_quantity) FILTER (WHERE m.is_measured), 0), 6) AS behind_best_bps,
    count(m.markout_100ms_bps) AS markout_100ms_count,
    round(sum(m.markout_100ms_bps * m.dealt_quantity) / nullif(sum(m.dealt_quantity) FILTER (WHERE m.markout_100ms_bps IS NOT NULL), 0), 6) AS markout_100ms_bps,
    count(m.markout_1s_bps) AS markout_1s_count,
    round(sum(m.markout_1s_bps * m.dealt_quantity) / nullif(sum(m.dealt_quantity) FILTER (WHERE m.markout_1s_bps IS NOT NULL), 0), 6) AS markout_1s_bps,
    count(m.markout_10s_bps) AS markout_10s_count,
    round(sum(m.markout_10s_bps * m.dealt_quantity) / nullif(sum(m.dealt_quantity) FILTER (WHERE m.markout_10s_bps IS NOT NULL), 0), 6) AS markout_10s_bps,
    count(m.markout_60s_bps) AS markout_60s_count,
    round(sum(m.markout_60s_bps * m.dealt_quantity) / nullif(sum(m.dealt_quantity) FILTER (WHERE m.markout_60s_bps IS NOT NULL), 0), 6) AS markout_60s_bps,
    (percentile_cont(ARRAY[0.5, 0.9, 0.99, 1]) WITHIN GROUP (ORDER BY m.queue_ms))::numeric[] AS queue_ms,
    (percentile_cont(ARRAY[0.5, 0.9, 0.99, 1]) WITHIN GROUP (ORDER BY m.hold_ms))::numeric[] AS hold_ms,
    (percentile_cont(ARRAY[0.5, 0.9, 0.99, 1]) WITHIN GROUP (ORDER BY m.total_ms))::numeric[] AS total_ms
FROM marked AS m
GROUP BY GROUPING SETS (
    (m.book, m.provider, m.symbol, m.quote_currency, m.lots, m.day),
    (m.book, m.provider, m.symbol, m.quote_currency),
    (m.book, m.symbol, m.quote_currency)
)
ORDER BY m.symbol, m.book, m.provider NULLS FIRST, m.day NULLS FIRST, m.lots NULLS FIRST;

-- fragment: happened
-- Everything on record about the orders and accounts that are asked for, each with its place in time.
WITH chosen AS (
    SELECT o.id, o.account_id, o.symbol
    FROM orders AS o
    WHERE (%(order_id)s::uuid IS NULL OR o.id = %(order_id)s::uuid)
      AND (%(account_id)s::uuid IS NULL OR o.account_id = %(account_id)s::uuid)
), near AS (
    SELECT e.order_id
    FROM order_events AS e
    WHERE %(order_id)s::uuid IS NULL
      AND %(account_id)s::uuid IS NULL
      AND e.occurred_at >= %(begin)s::timestamptz - interval '10 minutes'
      AND e.occurred_at < %(end)s::timestamptz + interval '10 minutes'
    GROUP BY e.order_id
), stirred AS (
    -- What is written in one transaction with an event is no further from it than that may last. So of an interval
    -- only orders with an event in it or near it are looked up, and events are found by their index of blocks.
    SELECT c.*
    FROM chosen AS c
    WHERE num_nonnulls(%(order_id)s::uuid, %(account_id)s::uuid) > 0
    UNION ALL
    SELECT c.*
    FROM near AS n
    JOIN chosen AS c ON c.id = n.order_id
), owners AS (
    SELECT a.id AS account_id, a.user_id
    FROM accounts AS a
    WHERE %(order_id)s::uuid IS NULL
      AND (%(account_id)s::uuid IS NULL OR a.id = %(account_id)s::uuid)
), entries AS (
    SELECT e.*
    FROM (
        SELECT w.account_id AS id FROM owners AS w
        UNION
        SELECT b.holder_id FROM owners AS w JOIN user_balances AS b ON b.user_id = w.user_id
    ) AS h
    CROSS JOIN LATERAL (
        SELECT
            last_version_at(h.id, coalesce(%(begin)s::timestamptz, '-infinity') - interval '1 us') AS before,
            last_version_at(h.id, coalesce(%(end)s::timestamptz, 'infinity') - interval '1 us') AS last
        OFFSET 0
    ) AS v
    JOIN balance_ledger AS e ON e.holder_id = h.id AND e.version > v.before AND e.version <= v.last
    UNION ALL
    SELECT e.*
    FROM chosen AS c
    JOIN order_fills AS f ON f.order_id = c.id
    JOIN trades AS t ON t.fill_id = f.id
    LEFT JOIN trade_adjustments AS j ON j.trade_id = t.id
    JOIN balance_ledger AS e ON e.transaction_id IN (t.id, j.id)
    WHERE %(order_id)s::uuid IS NOT NULL
), acted AS (
    SELECT l.*
    FROM audit_log AS l
    WHERE %(order_id)s::uuid IS NULL
      AND %(account_id)s::uuid IS NULL
    UNION ALL
    SELECT l.*
    FROM owners AS w
    CROSS JOIN LATERAL (
        SELECT w.account_id AS id
        UNION
        SELECT w.user_id
        UNION
        SELECT r.id FROM risk_limits AS r WHERE r.account_id IS NULL OR r.account_id = w.account_id
        UNION
        SELECT h.id FROM trading_halts AS h WHERE h.account_id IS NULL OR h.account_id = w.account_id
        UNION
        SELECT v.id FROM routing_overrides AS v WHERE v.user_id IS NULL OR v.user_id = w.user_id
        UNION
        SELECT p.id FROM payment_transactions AS p WHERE p.user_id = w.user_id
    ) AS r
    JOIN audit_log AS l ON l.row_id = r.id
    WHERE %(account_id)s::uuid IS NOT NULL
), happened AS (
    SELECT
        e.occurred_at AS at,
        NULL::timestamptz AS market_at,
        CASE e.event_type WHEN 'trade' THEN 65 ELSE 10 END AS place,
        e.seq::bigint AS seq,
        'order_events' AS source,
        e.event_type::text AS action,
        e.actor,
        c.account_id,
        c.id AS order_id,
        c.symbol::text,
        e.order_id AS record_id,
        NULL::jsonb AS before,
        NULL::jsonb AS after,
        jsonb_strip_nulls(jsonb_build_object(
            'from', e.from_status, 'to', e.to_status, 'quantity', trim_scale(e.quantity)::text, 'price', trim_scale(e.price)::text,
            'seen', e.details,
            'asked', CASE WHEN e.seq = 1 THEN (
                -- The row has the terms of now; what was asked first stands in the first change.
                SELECT (to_jsonb(n)
                || jsonb_build_object('closes', (SELECT x.position_id FROM closing_orders AS x WHERE x.order_id = n.id))
                || coalesce((
                    SELECT jsonb_build_object(
                        'quantity', (x.details #>> '{was,quantity}')::numeric,
                        'limit_price', (x.details #>> '{was,limit_price}')::numeric,
                        'stop_price', (x.details #>> '{was,stop_price}')::numeric
                    )
                    FROM order_events AS x
                    WHERE x.order_id = n.id AND x.details ? 'was'
                    ORDER BY x.seq
                    LIMIT 1
                ), '{}')
                || CASE WHEN n.order_type = 'trailing_stop' AND n.version > 1 THEN '{"stop_price": null}' ELSE '{}' END::jsonb)
                - '{status,version,filled_quantity,remaining_quantity,average_price,is_routed,refused_by,refusal_code,updated_at,triggered_at,engine_id}'::text[]
                FROM orders AS n
                WHERE n.id = e.order_id
            ) END
        )) AS details,
        NULL::bigint AS audit_seal,
        NULL::bigint AS ledger_seal,
        NULL::boolean AS holds
    FROM chosen AS c
    JOIN order_events AS e ON e.order_id = c.id
    UNION ALL
    SELECT
        b.occurred_at, NULL, 20, 0, 'risk_breaches', l.kind, 'house', c.account_id, c.id, c.symbol, b.id, NULL, NULL,
        jsonb_build_object('limit', trim_scale(b.limit_value)::text, 'measured', trim_scale(b.measured)::text, 'scope', l.scope), NULL, NULL, NULL
    FROM stirred AS c
    JOIN risk_breaches AS b ON b.order_id = c.id
    JOIN risk_limits AS l ON l.id = b.limit_id
    UNION ALL
    SELECT
        coalesce(s.at, uuid_extract_timestamp(d.id)), d.decided_at, 30, 0, 'routing_decisions', d.reason, 'house',
        c.account_id, c.id, c.symbol, d.id, NULL, NULL, to_jsonb(d), NULL, NULL, NULL
    FROM stirred AS c
    JOIN routing_decisions AS d ON d.order_id = c.id
    LEFT JOIN LATERAL (
        SELECT min(e.occurred_at) AS at
        FROM order_events AS e
        WHERE e.order_id = d.order_id AND e.occurred_at >= uuid_extract_timestamp(d.id)
    ) AS s ON true
    UNION ALL
    SELECT
        coalesce(s.at, uuid_extract_timestamp(d.id)), d.ranked_at, 40, 0, 'routing_rankings', 'ranked', 'house',
        c.account_id, c.id, c.symbol, d.id, NULL, NULL, d.candidates, NULL, NULL, NULL
    FROM stirred AS c
    JOIN routing_rankings AS d ON d.order_id = c.id
    LEFT JOIN LATERAL (
        SELECT min(e.occurred_at) AS at
        FROM order_events AS e
        WHERE e.order_id = d.order_id AND e.occurred_at >= uuid_extract_timestamp(d.id)
    ) AS s ON true
    UNION ALL
    SELECT
        m.kept_at, NULL, 50, m.seq, 'fix_messages', m.direction || ' ' || m.message_type, p.code,
        c.account_id, c.id, c.symbol, m.session_id, NULL, NULL,
        jsonb_build_object('raw', replace(m.raw, chr(1), '|'), 'seq', m.seq), NULL, NULL, NULL
    FROM chosen AS c
    JOIN fix_messages AS m ON m.request_id ~>=~ (c.id || '-') AND m.request_id ~<~ (c.id || '.')
    JOIN fix_sessions AS x ON x.id = m.session_id
    JOIN liquidity_providers AS p ON p.id = x.provider_id
    UNION ALL
    SELECT
        coalesce(s.at, uuid_extract_timestamp(r.id)), r.decided_at, 60, 0, 'provider_requests',
        coalesce('rejected: ' || r.reason, 'accepted'), p.code,
        c.account_id, c.id, c.symbol, r.id, NULL, NULL, to_jsonb(r), NULL, NULL, NULL
    FROM stirred AS c
    JOIN provider_requests AS r ON r.order_id = c.id
    JOIN liquidity_providers AS p ON p.id = r.provider_id
    LEFT JOIN LATERAL (
        SELECT min(e.occurred_at) AS at
        FROM order_events AS e
        WHERE e.order_id = r.order_id AND e.occurred_at >= uuid_extract_timestamp(r.id)
    ) AS s ON true
    UNION ALL
    SELECT
        f.executed_at, f.quoted_at, 70, 0, 'order_fills',
        CASE WHEN f.provider_execution_id IS NULL THEN 'dealt by the house' ELSE 'dealt by a provider' END, p.code,
        c.account_id, c.id, c.symbol, f.id, NULL, NULL, to_jsonb(f), NULL, NULL, NULL
    FROM stirred AS c
    JOIN order_fills AS f ON f.order_id = c.id
    JOIN liquidity_providers AS p ON p.id = f.provider_id
    UNION ALL
    SELECT
        t.executed_at, NULL, 80, t.position_version, 'trades', t.effect, NULL,
        t.account_id, f.order_id, w.symbol, t.id,
        jsonb_build_object(
            'position', t.position_id,
            'quantity', trim_scale(t.position_quantity - t.quantity)::text,
            'average_price', trim_scale(b.position_average_price)::text,
            'realised_pnl', trim_scale(t.position_realised_pnl - t.realised_pnl)::text
        ),
        jsonb_build_object(
            'position', t.position_id,
            'quantity', trim_scale(t.position_quantity)::text,
            'average_price', trim_scale(t.position_average_price)::text,
            'realised_pnl', trim_scale(t.position_realised_pnl)::text
        ),
        jsonb_build_object(
            'quantity', trim_scale(t.quantity)::text, 'price', trim_scale(t.price)::text, 'rate', trim_scale(t.conversion_rate)::text,
            'realised_pnl', trim_scale(t.realised_pnl)::text, 'commission', trim_scale(t.commission)::text,
            'fill', t.fill_id, 'close_by', t.close_by_id
        ),
        NULL, NULL, NULL
    FROM trades AS t
    JOIN positions AS w ON w.id = t.position_id
    LEFT JOIN order_fills AS f ON f.id = t.fill_id
    LEFT JOIN trades AS b ON b.position_id = t.position_id AND b.position_version = t.position_version - 1
    WHERE CASE
        WHEN %(order_id)s::uuid IS NOT NULL
            THEN t.fill_id = ANY(ARRAY(SELECT x.id FROM order_fills AS x WHERE x.order_id = %(order_id)s::uuid))
        ELSE %(account_id)s::uuid IS NULL OR t.account_id = %(account_id)s::uuid
    END
    UNION ALL
    SELECT
        m.amended_at, m.booked_at, 85, m.position_version, 'position_amendments', 'amended', 'client',
        m.account_id, NULL, w.symbol, m.id,
        jsonb_build_object(
            'position', m.position_id,
            'stop_loss', trim_scale(m.stop_loss_before)::text, 'take_profit', trim_scale(m.take_profit_before)::text
        ),
        jsonb_build_object(
            'position', m.position_id,
            'stop_loss', trim_scale(m.stop_loss)::text, 'take_profit', trim_scale(m.take_profit)::text
        ),
        jsonb_build_object(
            'amendment', m.amendment_id, 'is_named', m.is_named,
            'sets_stop_loss', m.sets_stop_loss, 'sets_take_profit', m.sets_take_profit,
            'bid', trim_scale(m.bid)::text, 'ask', trim_scale(m.ask)::text, 'quoted_at', m.quoted_at
        ),
        NULL, NULL, NULL
    FROM position_amendments AS m
    JOIN positions AS w ON w.id = m.position_id
    WHERE %(order_id)s::uuid IS NULL
      AND (%(account_id)s::uuid IS NULL OR m.account_id = %(account_id)s::uuid)
    UNION ALL
    SELECT
        e.created_at, NULL, 90, e.version, 'balance_ledger', e.operation, NULL,
        a.id, NULL, NULL, e.transaction_id,
        jsonb_build_object('available', trim_scale(e.available_before)::text, 'reserved', trim_scale(e.reserved_before)::text),
        jsonb_build_object('available', trim_scale(e.available_after)::text, 'reserved', trim_scale(e.reserved_after)::text),
        jsonb_build_object(
            'holder', e.holder_id, 'version', e.version, 'effect', e.effect, 'amount', trim_scale(e.amount)::text,
            'currency', e.currency, 'transfer', e.transfer_id, 'hold', e.hold_id
        ),
        NULL,
        g.seal_seq,
        substr(g.entry_hashes, (32 * (e.version - g.from_version) + 1)::integer, 32)
        = ledger_entry_hash((SELECT b FROM balance_ledger AS b WHERE b.holder_id = e.holder_id AND b.version = e.version))
    FROM entries AS e
    LEFT JOIN accounts AS a ON a.id = e.holder_id
    LEFT JOIN LATERAL (
        SELECT n.seal_seq, n.from_version, n.entry_hashes
        FROM ledger_seal_segments AS n
        WHERE n.holder_id = e.holder_id AND n.to_version >= e.version
        ORDER BY n.to_version
        LIMIT 1
    ) AS g ON true
    UNION ALL
    SELECT
        w.booked_at, NULL, 95, 0, 'position_rollovers', w.operation, 'house', p.account_id, NULL, p.symbol, w.id,
        NULL, NULL, to_jsonb(w), NULL, NULL, NULL
    FROM position_rollovers AS w
    JOIN positions AS p ON p.id = w.position_id
    WHERE %(order_id)s::uuid IS NULL
      AND (
          %(account_id)s::uuid IS NULL
          OR w.position_id = ANY(ARRAY(SELECT t.position_id FROM trades AS t WHERE t.account_id = %(account_id)s::uuid))
      )
    UNION ALL
    SELECT
        m.opened_at, m.market_at, 100, 0, 'margin_calls', 'opened', 'house', m.account_id, NULL, NULL, m.id, NULL, NULL,
        jsonb_build_object('level', trim_scale(m.margin_level)::text, 'equity', trim_scale(m.equity)::text, 'used_margin', trim_scale(m.used_margin)::text),
        NULL, NULL, NULL
    FROM owners AS o
    JOIN margin_calls AS m ON m.account_id = o.account_id
    UNION ALL
    SELECT
        m.resolved_at, m.resolved_market_at, 100, 1, 'margin_calls', 'resolved', 'house', m.account_id, NULL, NULL, m.id,
        NULL, NULL, '{}', NULL, NULL, NULL
    FROM owners AS o
    JOIN margin_calls AS m ON m.account_id = o.account_id
    WHERE m.resolved_at IS NOT NULL
    UNION ALL
    SELECT
        s.occurred_at, s.market_at, 105, 0, 'stop_outs', 'stopped out', 'house', s.account_id, NULL, NULL, s.id,
        NULL, NULL, to_jsonb(s), NULL, NULL, NULL
    FROM owners AS o
    JOIN stop_outs AS s ON s.account_id = o.account_id
    UNION ALL
    SELECT
        k.received_at, k.told_at, 110, 0, 'provider_corrections', k.kind, p.code, c.account_id, c.id, c.symbol, k.id,
        NULL, NULL, to_jsonb(k), NULL, NULL, NULL
    FROM provider_corrections AS k
    CROSS JOIN LATERAL (SELECT first_execution(k.provider_id, k.refers_to) AS execution_id) AS x
    JOIN order_fills AS f ON f.provider_id = k.provider_id AND f.provider_execution_id = x.execution_id
    JOIN chosen AS c ON c.id = f.order_id
    JOIN liquidity_providers AS p ON p.id = k.provider_id
    UNION ALL
    SELECT
        z.settled_at, NULL, 111, 0, 'provider_correction_settlements', z.settlement, z.actor, c.account_id, c.id, c.symbol,
        z.correction_id, NULL, NULL, to_jsonb(z), NULL, NULL, NULL
    FROM provider_corrections AS k
    CROSS JOIN LATERAL (SELECT first_execution(k.provider_id, k.refers_to) AS execution_id) AS x
    JOIN order_fills AS f ON f.provider_id = k.provider_id AND f.provider_execution_id = x.execution_id
    JOIN chosen AS c ON c.id = f.order_id
    JOIN provider_correction_settlements AS z ON z.correction_id = k.id
    UNION ALL
    SELECT
        j.booked_at, NULL, 112, 0, 'trade_adjustments', 'adjusted', 'house', c.account_id, c.id, c.symbol, j.id,
        jsonb_build_object('price', trim_scale(j.price_before)::text),
        jsonb_build_object('price', trim_scale(j.price)::text),
        jsonb_build_object('trade', j.trade_id, 'correction', j.correction_id, 'amount', trim_scale(j.amount)::text),
        NULL, NULL, NULL
    FROM chosen AS c
    JOIN order_fills AS f ON f.order_id = c.id
    JOIN trades AS t ON t.fill_id = f.id
    JOIN trade_adjustments AS j ON j.trade_id = t.id
    UNION ALL
    SELECT
        u.received_at, u.executed_at, 113, 0, 'unsolicited_fills', u.reason, p.code, c.account_id, c.id, c.symbol, u.id,
        NULL, NULL, to_jsonb(u), NULL, NULL, NULL
    FROM unsolicited_fills AS u
    JOIN chosen AS c ON c.id::text = left(u.request_id, 36)
    JOIN liquidity_providers AS p ON p.id = u.provider_id
    UNION ALL
    SELECT
        l.created_at, NULL, 0, l.seq, l.table_name, l.action, l.actor, NULL, NULL, NULL, l.row_id, NULL, NULL,
        jsonb_strip_nulls(jsonb_build_object('changes', l.changes, 'reason', l.reason, 'role', l.database_role)),
        g.seq, NULL, NULL
    FROM acted AS l
    LEFT JOIN LATERAL (
        SELECT n.seq FROM audit_seals AS n WHERE n.from_txid <= l.txid AND n.to_txid > l.txid ORDER BY n.seq LIMIT 1
    ) AS g ON true
    WHERE l.table_name <> 'margin_calls'
)

-- fragment: happened_in_range
-- What of it is in the range.
FROM happened AS h
WHERE (%(begin)s::timestamptz IS NULL OR h.at >= %(begin)s::timestamptz)
  AND (%(end)s::timestamptz IS NULL OR h.at < %(end)s::timestamptz)

-- name: reconstruction_counts
-- Count what happened, by source, with the seals that cover it and entries that are not as they were sealed.
-- use: happened
SELECT
    count(*),
    array_agg(DISTINCT h.audit_seal) FILTER (WHERE h.audit_seal IS NOT NULL),
    array_agg(DISTINCT h.ledger_seal) FILTER (WHERE h.ledger_seal IS NOT NULL),
    count(*) FILTER (WHERE NOT h.holds)
-- use: happened_in_range
;

-- name: reconstruction
-- Read what happened in the order of time.
-- use: happened
SELECT
    h.at,
    h.market_at,
    h.source,
    h.action,
    h.actor,
    h.account_id::text,
    h.order_id::text,
    h.symbol,
    h.record_id::text,
    h.before,
    h.after,
    h.details,
    h.audit_seal,
    h.ledger_seal,
    h.holds
-- use: happened_in_range
ORDER BY h.at, h.place, h.seq, h.record_id;

-- name: archived_changes
-- Count the changes of rows that are told of which stand in archived months only, by month.
SELECT to_char(w.month, 'YYYY-MM'), sum(c.change_count)::bigint, w.state
FROM audit_months_away AS w
JOIN audit_archive_counts AS c ON c.month = w.month
LEFT JOIN accounts AS a ON a.id = %(account_id)s::uuid
WHERE %(order_id)s::uuid IS NULL
  AND (%(begin)s::timestamptz IS NULL OR (w.month + interval '1 month') AT TIME ZONE 'UTC' > %(begin)s::timestamptz)
  AND (%(end)s::timestamptz IS NULL OR (w.month + interval '0 months') AT TIME ZONE 'UTC' < %(end)s::timestamptz)
  AND (
      %(account_id)s::uuid IS NULL
      OR c.row_id IN (a.id, a.user_id)
      OR c.row_id IN (SELECT r.id FROM risk_limits AS r WHERE r.account_id IS NULL OR r.account_id = a.id)
      OR c.row_id IN (SELECT h.id FROM trading_halts AS h WHERE h.account_id IS NULL OR h.account_id = a.id)
      OR c.row_id IN (SELECT v.id FROM routing_overrides AS v WHERE v.user_id IS NULL OR v.user_id = a.user_id)
      OR c.row_id IN (SELECT p.id FROM payment_transactions AS p WHERE p.user_id = a.user_id)
  )
GROUP BY w.month, w.state
ORDER BY w.month;

-- name: bad_audit_seals
-- Find which of some seals of the audit log do not hold.
SELECT seq
FROM law_seals_verify
WHERE seq = ANY(%(seals)s::bigint[]);

-- name: bad_ledger_seals
-- Find which of some seals of the ledger do not follow from their hashes and the seal before.
SELECT seq
FROM law_ledger_seals_verify
WHERE fault = 'seal' AND seq = ANY(%(seals)s::bigint[]);

-- name: trades_until
-- Read what trades have done to an account's positions before an instant, with what they left on record.
SELECT t.position_id::text, p.symbol, t.effect, t.quantity, t.price, t.position_quantity, t.position_average_price
FROM trades AS t
JOIN positions AS p ON p.id = t.position_id
WHERE t.account_id = %(account_id)s AND t.executed_at < %(at)s
ORDER BY t.position_id, t.position_version;

-- name: entries_until
-- Read the entries of an account before an instant, with the balance that each left on record.
SELECT e.effect, e.amount, e.available_after
FROM balance_ledger AS e
WHERE e.holder_id = %(account_id)s
  AND e.version <= last_version_at(%(account_id)s, %(at)s::timestamptz - interval '1 us')
ORDER BY e.version;

-- name: client_money
-- Add up, by currency, what clients are owed and what each account of the house holds, as it was at an instant.
WITH held AS MATERIALIZED (
    SELECT
        h.id,
        h.kind,
        h.currency,
        last_version_at(h.id, coalesce(%(end)s::timestamptz, 'infinity') - interval '1 us') AS version
    FROM (
        SELECT holder_id AS id, 'wallets' AS kind, currency FROM user_balances
        UNION ALL
        SELECT id, 'accounts', currency FROM accounts
    ) AS h
), clients AS (
    SELECT h.kind, h.currency, coalesce(e.available_after + e.reserved_after, 0) AS amount
    FROM held AS h
    LEFT JOIN balance_ledger AS e ON e.holder_id = h.id AND e.version = h.version
), entered_later AS (
    -- A transfer has a time of its own, and each of its entries another: what is not yet in a client's balance
    -- is not yet in the house's.
    SELECT
        e.transfer_id,
        count(*) AS entry_count,
        sum(e.available_after + e.reserved_after - e.available_before - e.reserved_before) AS amount
    FROM held AS h
    JOIN balance_ledger AS e ON e.holder_id = h.id AND e.version > h.version
    WHERE %(end)s::timestamptz IS NOT NULL AND e.transfer_id IS NOT NULL
    GROUP BY e.transfer_id
), later AS (
    SELECT
        t.currency,
        t.amount,
        g.id AS giver_id,
        r.id AS receiver_id,
        CASE WHEN g.id IS NULL AND r.id IS NULL AND l.entry_count = 1 THEN l.amount END AS on_its_way
    FROM transfers AS t
    LEFT JOIN entered_later AS l ON l.transfer_id = t.id
    LEFT JOIN house_accounts AS g ON g.id = t.debit_holder_id
    LEFT JOIN house_accounts AS r ON r.id = t.credit_holder_id
    WHERE %(end)s::timestamptz IS NOT NULL
      AND CASE
          WHEN g.id IS NOT NULL AND r.id IS NOT NULL THEN t.created_at >= %(end)s::timestamptz
          ELSE l.transfer_id IS NOT NULL
      END
), house_later AS (
    SELECT s.holder_id, sum(s.amount) AS amount
    FROM later AS l
    CROSS JOIN LATERAL (VALUES (l.receiver_id, l.amount), (l.giver_id, -l.amount)) AS s (holder_id, amount)
    WHERE s.holder_id IS NOT NULL
    GROUP BY s.holder_id
)
SELECT currency, 'owed', kind, sum(amount) FILTER (WHERE amount > 0), count(*) FILTER (WHERE amount > 0)
FROM clients
GROUP BY currency, kind
UNION ALL
SELECT currency, 'owed', 'on_its_way', sum(on_its_way), count(*)
FROM later
WHERE on_its_way IS NOT NULL
GROUP BY currency
UNION ALL
SELECT currency, 'debts', kind, -sum(amount), count(*)
FROM clients
WHERE amount < 0
GROUP BY currency, kind
UNION ALL
SELECT
    p.currency,
    CASE
        WHEN p.code IN ('bank', 'clearing', 'clearing_cards', 'clearing_chain') THEN 'held'
        WHEN p.code = 'suspense' THEN 'owed'
        ELSE 'own'
    END,
    p.code,
    CASE p.code WHEN 'suspense' THEN -1 ELSE 1 END * (coalesce(l.amount, 0) - p.balance),
    1
FROM house_positions AS p
LEFT JOIN house_later AS l ON l.holder_id = p.holder_id
ORDER BY 1, 2, 3;

-- name: reconciled
-- Say of each payment provider what was reconciled by an instant, and what stood open then.
SELECT
    p.provider,
    (
        SELECT max(s.imported_at)
        FROM provider_statements AS s
        WHERE s.provider = p.provider AND s.imported_at < p.at
    ),
    (
        SELECT max(s.settled_on)
        FROM payment_settlements AS s
        WHERE s.provider = p.provider AND s.created_at < p.at
    ),
    (
        SELECT count(*)
        FROM reconciliation_breaks AS b
        WHERE b.provider = p.provider AND b.opened_at < p.at AND (b.closed_at >= p.at) IS NOT FALSE
    ),
    (
        SELECT min(b.opened_at)
        FROM reconciliation_breaks AS b
        WHERE b.provider = p.provider AND b.opened_at < p.at AND (b.closed_at >= p.at) IS NOT FALSE
    )
FROM (
    SELECT n.provider, coalesce(%(end)s::timestamptz, clock_timestamp()) AS at
    FROM (VALUES ('cards'), ('chain')) AS n (provider)
) AS p;

-- fragment: measured_fills
-- Which fills of hybrid accounts a report of markouts is about, by the market's time, each with what was measured.
fills AS (
    SELECT
        f.id,
        a.user_id,
        CASE WHEN f.provider_execution_id IS NULL THEN 'B' ELSE 'A' END AS book,
        p.code AS provider,
        o.symbol,
        f.quantity,
        m.measured_at,
        ARRAY[m.markout_1s_bps, m.markout_10s_bps, m.markout_60s_bps] AS markouts
    FROM order_fills AS f
    JOIN orders AS o ON o.id = f.order_id
    JOIN accounts AS a ON a.id = o.account_id
    LEFT JOIN liquidity_providers AS p ON p.id = f.provider_id
    LEFT JOIN client_measures AS m ON m.fill_id = f.id
    WHERE o.book = 'hybrid'
      AND (%(begin)s::timestamptz IS NULL OR coalesce(m.measured_at, f.quoted_at) >= %(begin)s::timestamptz)
      AND (%(end)s::timestamptz IS NULL OR coalesce(m.measured_at, f.quoted_at) < %(end)s::timestamptz)
      AND (%(account_id)s::uuid IS NULL OR o.account_id = %(account_id)s::uuid)
      AND (%(provider)s::text IS NULL OR p.code = %(provider)s::text)
      AND (%(symbol)s::text IS NULL OR o.symbol = %(symbol)s::text)
)

-- name: markout_counts
-- Count the fills that were measured and those that were not.
WITH
-- use: measured_fills
SELECT count(measured_at), count(*) - count(measured_at)
FROM fills;

-- name: markouts
-- Add up the markouts of each client by book, provider, instrument and time; each figure from the fills.
WITH
-- use: measured_fills
SELECT
    f.user_id::text,
    f.book,
    f.provider,
    f.symbol,
    h.seconds,
    count(*),
    sum(f.quantity),
    round(avg(h.bps), 6),
    round(sum(h.bps * f.quantity) / sum(f.quantity), 6),
    round(stddev_samp(h.bps), 6),
    round((percentile_cont(0.05) WITHIN GROUP (ORDER BY h.bps))::numeric, 6),
    round((percentile_cont(0.5) WITHIN GROUP (ORDER BY h.bps))::numeric, 6),
    round((percentile_cont(0.95) WITHIN GROUP (ORDER BY h.bps))::numeric, 6),
    round(count(*) FILTER (WHERE h.bps > 0) / count(*)::numeric, 6),
    count(*) FILTER (WHERE abs(h.bps) >= %(cut_off_at)s::numeric),
    min(f.measured_at),
    max(f.measured_at)
FROM fills AS f
CROSS JOIN LATERAL unnest(ARRAY[1, 10, 60], f.markouts) AS h (seconds, bps)
WHERE f.measured_at IS NOT NULL
GROUP BY f.user_id, f.book, f.provider, f.symbol, h.seconds
ORDER BY f.user_id, f.book, f.provider, f.symbol, h.seconds;
