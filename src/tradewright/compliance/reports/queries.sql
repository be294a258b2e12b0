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
        'client_order_id', o.client_order_id,
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
    m.messages
FROM told AS e
JOIN orders AS o ON o.id = e.order_id
JOIN accounts AS a ON a.id = o.account_id
JOIN instruments AS i ON i.symbol = o.symbol
JOIN order_events AS first ON first.order_id = e.order_id AND first.seq = 1
LEFT JOIN closing_orders AS c ON c.order_id = o.id
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
ORDER BY e.occurred_at, e.order_id, e.seq;

-- name: clock_range
-- Read how far apart samples are to be taken, and the range that can be known: until now at most.
SELECT
    coalesce((SELECT coalesce(every, '1 day') FROM jobs WHERE name = 'sample_clock'), '5 minutes'),
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
        SELECT e.details
        FROM order_events AS e
        WHERE e.order_id = r.order_id
          AND e.seq <= substr(r.request_id, 38, strpos(substr(r.request_id, 38), '-') - 1)::integer
          AND e.event_type IN ('new', 'triggered', 'restated')
          AND jsonb_typeof(jsonb_path_query_first(e.details, '$.*')) = 'array'
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
        SELECT e.details
        FROM order_events AS e
        WHERE e.order_id = d.order_id
          AND e.event_type IN ('new', 'triggered', 'restated')
          AND (e.details -> p.code ->> 2)::timestamptz = d.quoted_at
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
        SELECT
            max((quote.value ->> 0)::numeric) AS bid,
            min((quote.value ->> 1)::numeric) AS ask,
            max((quote.value ->> 2)::timestamptz) AS quoted_at
        FROM jsonb_each(e.details) AS quote
    ) AS q
    WHERE e.event_type IN ('new', 'triggered', 'restated')
      AND jsonb_typeof(jsonb_path_query_first(e.details, '$.*')) = 'array'
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
