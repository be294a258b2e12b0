-- name: provider_id
-- Find a provider by its code.
SELECT id::text
FROM liquidity_providers
WHERE code = %(provider)s;

-- name: lock_provider
-- Let one run at a time reconcile a provider.
SELECT take_turn('provider_trades/' || %(provider_id)s::text);

-- name: keep_list
-- Keep a list, unless the newest of its day says the same: one seen before may be the corrected one.
INSERT INTO provider_trade_lists (provider_id, traded_on, digest)
SELECT %(provider_id)s::uuid, %(day)s::date, %(digest)s
WHERE %(digest)s IS DISTINCT FROM (
    SELECT digest
    FROM provider_trade_lists
    WHERE provider_id = %(provider_id)s::uuid AND traded_on = %(day)s::date
    ORDER BY id DESC
    LIMIT 1
)
RETURNING id::text;

-- name: keep_trades
-- Keep the lines of a list.
INSERT INTO provider_trades (
    list_id, line_number, execution_id, request_id, symbol, side, quantity, price, executed_at
)
SELECT
    %(list_id)s::uuid, n.line_number, n.execution_id, n.request_id, n.symbol, n.side, n.quantity, n.price,
    n.executed_at
FROM unnest(
    %(execution_ids)s::text[], %(request_ids)s::text[], %(symbols)s::text[], %(sides)s::text[],
    %(quantities)s::numeric[], %(prices)s::numeric[], %(executed)s::timestamptz[]
) WITH ORDINALITY AS n (
    execution_id, request_id, symbol, side, quantity, price, executed_at, line_number
);

-- name: listed_days
-- Read the days whose lists have come.
SELECT DISTINCT traded_on
FROM provider_trade_lists
WHERE provider_id = %(provider_id)s::uuid;

-- name: lines
-- Read the trades of the newest list of each day since one, and older ones by their ids.
-- A line may go by the ExecID of a correction: it is about what that corrected, and takes the place
-- of the lines before it. An ExecID that two orders have had is told apart by the request.
SELECT n.execution_id, n.request_id, n.symbol, n.side, n.quantity, n.price, n.executed_at
FROM (
    SELECT
        coalesce(c.first_id, t.name) AS execution_id,
        t.request_id,
        t.symbol,
        t.side,
        t.quantity,
        t.price,
        t.executed_at,
        l.traded_on,
        t.line_number,
        rank() OVER (PARTITION BY coalesce(c.first_id, t.name) ORDER BY c.id DESC NULLS LAST) AS place
    FROM (
        SELECT DISTINCT ON (traded_on) id, traded_on
        FROM provider_trade_lists
        WHERE provider_id = %(provider_id)s::uuid
        ORDER BY traded_on, id DESC
    ) AS l
    JOIN (
        SELECT *, referred_execution(%(provider_id)s::uuid, execution_id, request_id) AS name
        FROM provider_trades
    ) AS t ON t.list_id = l.id
    LEFT JOIN (
        SELECT id, execution_id, first_execution(provider_id, execution_id) AS first_id
        FROM provider_corrections
        WHERE provider_id = %(provider_id)s::uuid AND kind = 'correction'
    ) AS c ON c.execution_id = t.name
    WHERE l.traded_on >= %(since)s::date
       OR t.name = ANY(%(ids)s::text[])
       OR c.first_id = ANY(%(ids)s::text[])
) AS n
WHERE n.place = 1
ORDER BY n.traded_on, n.line_number;

-- name: open_executions
-- Read which executions have an open difference.
SELECT execution_id
FROM provider_trade_breaks
WHERE provider_id = %(provider_id)s::uuid AND closed_at IS NULL;

-- name: executions
-- Read what we have of executions since a day, and older ones by their ids; without what was taken back.
-- At the price to which they were adjusted.
-- Fills are found by their keys, which are in the order of time: one is booked after it is dealt.
SELECT
    e.execution_id,
    min(e.symbol),
    min(e.side),
    sum(e.quantity),
    max(coalesce(
        (
            SELECT j.price
            FROM trades AS t
            JOIN trade_adjustments AS j ON j.trade_id = t.id
            WHERE t.fill_id = e.fill_id
            ORDER BY j.booked_at DESC
            LIMIT 1
        ),
        e.price
    )),
    min(e.executed_at AT TIME ZONE 'UTC')::date,
    bool_or(e.is_undecided)
FROM (
    SELECT
        f.provider_execution_id AS execution_id,
        o.symbol,
        o.side,
        f.quantity,
        f.id AS fill_id,
        f.price,
        f.quoted_at AS executed_at,
        false AS is_undecided
    FROM order_fills AS f
    JOIN orders AS o ON o.id = f.order_id
    WHERE f.provider_id = %(provider_id)s::uuid
      AND f.provider_execution_id IS NOT NULL
      AND f.id >= (
          lpad(to_hex((extract(epoch FROM %(since)s::date::timestamp AT TIME ZONE 'UTC') * 1000)::bigint), 12, '0')
          || '00000000000000000000'
      )::uuid
      AND f.quoted_at >= %(since)s::date::timestamp AT TIME ZONE 'UTC'
    UNION ALL
    SELECT
        f.provider_execution_id,
        o.symbol,
        o.side,
        f.quantity,
        f.id,
        f.price,
        f.quoted_at,
        false
    FROM unnest(%(ids)s::text[]) AS k (execution_id)
    JOIN order_fills AS f
        ON f.provider_id = %(provider_id)s::uuid AND f.provider_execution_id = k.execution_id
    JOIN orders AS o ON o.id = f.order_id
    WHERE f.quoted_at < %(since)s::date::timestamp AT TIME ZONE 'UTC'
    UNION ALL
    SELECT
        h.provider_execution_id,
        h.symbol,
        CASE WHEN h.quantity > 0 THEN 'buy' ELSE 'sell' END,
        abs(h.quantity),
        NULL,
        h.price,
        h.executed_at,
        false
    FROM hedge_fills AS h
    WHERE h.provider_id = %(provider_id)s::uuid
      AND (
          h.executed_at >= %(since)s::date::timestamp AT TIME ZONE 'UTC'
          OR h.provider_execution_id = ANY(%(ids)s::text[])
      )
    UNION ALL
    SELECT
        u.provider_execution_id,
        u.symbol,
        u.side,
        u.quantity,
        NULL,
        u.price,
        u.executed_at,
        r.fill_id IS NULL
    FROM unsolicited_fills AS u
    LEFT JOIN unsolicited_fill_resolutions AS r ON r.fill_id = u.id
    WHERE u.provider_id = %(provider_id)s::uuid
      AND r.resolution IS DISTINCT FROM 'busted'
      AND (
          u.executed_at >= %(since)s::date::timestamp AT TIME ZONE 'UTC'
          OR u.provider_execution_id = ANY(%(ids)s::text[])
      )
) AS e
LEFT JOIN (
    SELECT DISTINCT first_execution(c.provider_id, c.refers_to) AS execution_id
    FROM provider_corrections AS c
    JOIN provider_correction_settlements AS s ON s.correction_id = c.id
    WHERE c.provider_id = %(provider_id)s::uuid AND c.kind = 'bust'
) AS b ON b.execution_id = e.execution_id
WHERE b.execution_id IS NULL
GROUP BY e.execution_id;

-- name: close_breaks
-- Close the differences that this run no longer found.
UPDATE provider_trade_breaks AS b
SET closed_at = clock_timestamp()
WHERE b.provider_id = %(provider_id)s::uuid
  AND b.closed_at IS NULL
  AND NOT EXISTS (
      SELECT FROM unnest(%(execution_ids)s::text[], %(buckets)s::text[]) AS n (execution_id, bucket)
      WHERE n.execution_id = b.execution_id AND n.bucket = b.bucket
  );

-- name: open_breaks
-- Open the differences that were not open before.
INSERT INTO provider_trade_breaks (provider_id, execution_id, bucket, details)
SELECT %(provider_id)s::uuid, n.execution_id, n.bucket, n.details::jsonb
FROM unnest(%(execution_ids)s::text[], %(buckets)s::text[], %(details)s::text[])
    AS n (execution_id, bucket, details)
ON CONFLICT (provider_id, execution_id, bucket) WHERE closed_at IS NULL
DO UPDATE SET details = excluded.details;

-- name: breaks
-- Read the open differences, the oldest first.
SELECT p.code, b.execution_id, b.bucket, b.details, b.opened_at, clock_timestamp() - b.opened_at
FROM provider_trade_breaks AS b
JOIN liquidity_providers AS p ON p.id = b.provider_id
WHERE b.closed_at IS NULL AND (%(provider)s::text IS NULL OR p.code = %(provider)s)
ORDER BY b.opened_at, p.code, b.execution_id;
