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
