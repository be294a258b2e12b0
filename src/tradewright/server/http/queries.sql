-- The stream of events: what was committed for users, in an order that never changes.

-- name: stream_mark
-- Takes a transaction number, and tells it with the time: all higher ones are given later.
SELECT pg_current_xact_id()::text::bigint, clock_timestamp();

-- name: stream_horizon
-- Tells the time, below which number no transaction runs any more, below which all are that have ended, and where.
SELECT
    clock_timestamp(),
    pg_snapshot_xmin(pg_current_snapshot())::text::bigint,
    pg_snapshot_xmax(pg_current_snapshot())::text::bigint,
    left(md5(format('%s.%s', s.system_identifier, d.oid)), 8)
FROM pg_control_system() AS s
CROSS JOIN pg_database AS d
WHERE d.datname = current_database();

-- name: stream_events
-- Reads what ended transactions wrote about some users' orders, margin calls, payments and positions, behind a place.
-- The number that a row carries has 32 bits: it is the last one with these bits that was given before xmax.
SELECT e.user_id::text, e.txid, e.source, e.about, e.seq, e.kind, e.occurred_at, e.data
FROM (
    SELECT
        a.user_id,
        %(xmax)s::bigint - ((%(xmax)s::bigint - s.xmin::text::bigint) & 4294967295) AS txid,
        1 AS source,
        s.order_id::text AS about,
        s.seq::bigint AS seq,
        'order' AS kind,
        s.occurred_at,
        jsonb_build_object(
            'order_id', s.order_id,
            'account_id', o.account_id,
            'client_order_id', o.client_order_id,
            'symbol', o.symbol,
            'side', o.side,
            'seq', s.seq,
            'event_type', s.event_type,
            'from_status', s.from_status,
            'to_status', s.to_status,
            'quantity', trim_scale(s.quantity)::text,
            'price', trim_scale(s.price)::text
        ) AS data
    FROM order_events AS s
    JOIN orders AS o ON o.id = s.order_id
    JOIN accounts AS a ON a.id = o.account_id
    WHERE s.occurred_at >= %(since)s AND a.user_id = ANY(%(user_ids)s::uuid[])
    UNION ALL
    SELECT
        a.user_id,
        l.txid,
        2,
        '',
        l.seq,
        CASE l.action WHEN 'insert' THEN 'margin_call_opened' ELSE 'margin_call_resolved' END,
        l.created_at,
        jsonb_build_object(
            'margin_call_id', m.id,
            'account_id', m.account_id,
            'margin_level', trim_scale(m.margin_level)::text,
            'equity', trim_scale(m.equity)::text,
            'used_margin', trim_scale(m.used_margin)::text
        )
    FROM audit_log AS l
    JOIN margin_calls AS m ON m.id = l.row_id
    JOIN accounts AS a ON a.id = m.account_id
    WHERE l.table_name = 'margin_calls'
      AND l.txid >= %(txid)s
      AND l.txid < %(horizon)s
      AND l.created_at >= %(since)s
      AND (l.action = 'insert' OR l.changes ? 'resolved_at')
      AND a.user_id = ANY(%(user_ids)s::uuid[])
    UNION ALL
    SELECT
        p.user_id,
        l.txid,
        3,
        '',
        l.seq,
        'payment',
        l.created_at,
        jsonb_build_object(
            'payment_id', p.id,
            'kind', p.kind,
            'currency', p.currency,
            'amount', trim_scale(p.amount)::text,
            'status', CASE l.action WHEN 'insert' THEN l.changes ->> 'status' ELSE l.changes -> 'status' ->> 1 END
        )
    FROM audit_log AS l
    JOIN payment_transactions AS p ON p.id = l.row_id
    WHERE l.table_name = 'payment_transactions'
      AND l.txid >= %(txid)s
      AND l.txid < %(horizon)s
      AND l.created_at >= %(since)s
      AND l.changes ? 'status'
      AND p.user_id = ANY(%(user_ids)s::uuid[])
    UNION ALL
    SELECT
        a.user_id,
        %(xmax)s::bigint - ((%(xmax)s::bigint - s.xmin::text::bigint) & 4294967295),
        4,
        s.id::text,
        0,
        'position_amended',
        s.amended_at,
        jsonb_build_object(
            'position_id', s.position_id,
            'account_id', s.account_id,
            'amendment_id', s.amendment_id,
            'stop_loss', trim_scale(s.stop_loss)::text,
            'take_profit', trim_scale(s.take_profit)::text
        )
    FROM position_amendments AS s
    JOIN accounts AS a ON a.id = s.account_id
    WHERE s.amended_at >= %(since)s AND a.user_id = ANY(%(user_ids)s::uuid[])
) AS e
WHERE e.txid < %(horizon)s
  AND (e.txid, e.source, e.about, e.seq) > (%(txid)s::bigint, %(source)s::integer, %(about)s::text, %(seq)s::bigint)
ORDER BY e.txid, e.source, e.about, e.seq
LIMIT %(count_max)s;
