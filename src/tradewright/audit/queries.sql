-- name: check_laws
-- Hold every law against the database.
SELECT law, checked, broken, examples
FROM check_laws(%(examples_max)s::integer);

-- name: server_time
-- Read the server's clock, which stamps the records.
SELECT clock_timestamp();

-- name: may_keep_law_checks
-- Tell whether this session may write down that the laws were checked.
SELECT has_table_privilege('law_checks', 'INSERT') AND NOT pg_is_in_recovery() AND current_setting('transaction_read_only') = 'off';

-- name: keep_law_check
-- Write down that the laws were checked; whoever names nobody is who has logged in.
INSERT INTO law_checks (began_at, actor, law_count, broken_count, results)
VALUES (
    %(began_at)s,
    coalesce(%(actor)s::text, session_user),
    %(law_count)s,
    %(broken_count)s,
    %(results)s::jsonb
);

-- name: law_checks
-- Read checks of the laws, the newest first.
SELECT id::text, began_at, finished_at, actor, database_role, law_count, broken_count, results
FROM law_checks
WHERE %(id)s::uuid IS NULL OR id = %(id)s::uuid
ORDER BY id DESC
LIMIT %(count_max)s OFFSET %(passed)s;

-- name: seal
-- Seal the audit rows of all ended transactions.
SELECT seal_audit_log();

-- name: heads
-- Read the heads of seals, oldest first.
SELECT seq, to_txid, encode(head, 'hex')
FROM audit_seals
WHERE seq > %(after_seq)s
ORDER BY seq;

-- name: bad_seals
-- Find the seals that do not hold, each with the first reason.
SELECT
    seq,
    CASE
        WHEN row_count <> found_row_count
            THEN 'It covers ' || row_count || ' audit rows, and ' || found_row_count || ' are there.'
        WHEN digest <> found_digest
            THEN 'An audit row that it covers was changed.'
        ELSE 'It does not follow from the seal before it.'
    END AS reason
FROM law_seals_verify;

-- name: seal_counts
-- Count seals, the rows that they cover, and the rows that wait for a seal.
SELECT
    (SELECT count(*) FROM audit_seals),
    (SELECT coalesce(sum(row_count), 0)::bigint FROM audit_seals),
    (
        SELECT count(*)
        FROM audit_log
        WHERE txid >= (SELECT coalesce(max(to_txid), 0) FROM audit_seals)
    );

-- name: seal_records
-- Seal the rows of all ended transactions in the other append-only tables.
SELECT seal_records(%(whole)s);

-- name: record_heads
-- Read the heads of the seals of the records, oldest first.
SELECT seq, to_txid, encode(head, 'hex')
FROM record_seals
WHERE seq > %(after_seq)s
ORDER BY seq;

-- name: record_faults
-- Find what does not hold of the sealed records, the oldest seal first and of that the rows first.
SELECT seq, table_name, row_key, fault
FROM law_record_seals_verify
ORDER BY seq, table_name NULLS LAST, row_key;

-- name: record_seal_counts
-- Count the seals of the records and the rows that they cover.
SELECT count(*), coalesce(sum(row_count), 0)::bigint
FROM record_seals;

-- name: trail
-- Read what was recorded of one thing, oldest first.
SELECT occurred_at, source, action, actor, details, reason
FROM (
    SELECT t.occurred_at, t.source, t.action, t.actor, t.details, t.place, t.reason
    FROM (
        SELECT
            a.created_at AS occurred_at,
            a.table_name AS source,
            a.action,
            a.actor,
            a.changes AS details,
            a.seq AS place,
            a.reason
        FROM audit_log AS a
        WHERE a.row_id = %(subject_id)s::uuid
        UNION ALL
        SELECT
            c.month::timestamp AT TIME ZONE 'UTC',
            'audit_archives',
            'archived',
            NULL,
            jsonb_build_object(
                'month', to_char(c.month, 'YYYY-MM'),
                'table_name', c.table_name,
                'change_count', sum(c.change_count),
                'state', w.state
            ),
            0,
            NULL
        FROM audit_archive_counts AS c
        JOIN audit_months_away AS w ON w.month = c.month
        WHERE c.row_id = %(subject_id)s::uuid
        GROUP BY c.month, c.table_name, w.state
        UNION ALL
        SELECT e.occurred_at, 'order_events', e.event_type, e.actor, to_jsonb(e), e.seq, NULL
        FROM order_events AS e
        WHERE e.order_id = %(subject_id)s::uuid
        UNION ALL
        -- Its own times are the market's; it is told where it was recorded, which its id says.
        SELECT
            coalesce(
                (
                    SELECT min(e.occurred_at)
                    FROM order_events AS e
                    WHERE e.order_id = r.order_id AND e.occurred_at >= uuid_extract_timestamp(r.id)
                ),
                uuid_extract_timestamp(r.id)
            ),
            'provider_requests',
            CASE WHEN r.is_accepted THEN 'accepted' ELSE 'rejected' END,
            NULL,
            to_jsonb(r),
            0,
            NULL
        FROM provider_requests AS r
        WHERE r.order_id = %(subject_id)s::uuid
        UNION ALL
        SELECT d.executed_at, 'trades', d.effect, NULL, to_jsonb(d), d.position_version, NULL
        FROM trades AS d
        WHERE d.position_id = %(subject_id)s::uuid
           OR d.fill_id IN (SELECT f.id FROM order_fills AS f WHERE f.order_id = %(subject_id)s::uuid)
        UNION ALL
        SELECT j.booked_at, 'trade_adjustments', 'adjusted', NULL, to_jsonb(j), 0, NULL
        FROM trades AS d
        JOIN trade_adjustments AS j ON j.trade_id = d.id
        WHERE d.position_id = %(subject_id)s::uuid
           OR d.fill_id IN (SELECT f.id FROM order_fills AS f WHERE f.order_id = %(subject_id)s::uuid)
        UNION ALL
        SELECT d.executed_at, 'trade_reversals', 'reversed', NULL, to_jsonb(r), 0, NULL
        FROM trade_reversals AS r
        JOIN trades AS d ON d.id = r.reversing_id
        WHERE d.position_id = %(subject_id)s::uuid
           OR d.fill_id IN (SELECT f.id FROM order_fills AS f WHERE f.order_id = %(subject_id)s::uuid)
        UNION ALL
        SELECT w.booked_at, 'position_rollovers', w.operation, NULL, to_jsonb(w), 0, NULL
        FROM position_rollovers AS w
        WHERE w.position_id = %(subject_id)s::uuid
        UNION ALL
        SELECT c.closed_at, 'close_bys', 'close', NULL, to_jsonb(c), 0, NULL
        FROM close_bys AS c
        WHERE c.id = %(subject_id)s::uuid
           OR c.position_id = %(subject_id)s::uuid
           OR c.by_position_id = %(subject_id)s::uuid
        UNION ALL
        SELECT m.amended_at, 'position_amendments', 'amended', 'client', to_jsonb(m), m.position_version, NULL
        FROM position_amendments AS m
        WHERE m.position_id = %(subject_id)s::uuid
           OR m.id = %(subject_id)s::uuid
           OR m.amendment_id = %(subject_id)s::uuid
        UNION ALL
        SELECT c.created_at, 'fraud_checks', c.risk_level, NULL, to_jsonb(c), 0, NULL
        FROM fraud_checks AS c
        WHERE c.payment_id = %(subject_id)s::uuid
        UNION ALL
        SELECT l.created_at, 'balance_ledger', l.operation, NULL, to_jsonb(l), l.version, NULL
        FROM balance_ledger AS l
        WHERE l.holder_id = %(subject_id)s::uuid
           OR l.hold_id = %(subject_id)s::uuid
           OR l.transaction_id = %(subject_id)s::uuid
           OR l.transaction_id IN (
               SELECT d.id
               FROM trades AS d
               JOIN order_fills AS f ON f.id = d.fill_id
               WHERE f.order_id = %(subject_id)s::uuid
           )
    ) AS t
    ORDER BY t.occurred_at DESC, t.place DESC
    LIMIT %(entries_max)s::integer
) AS newest
ORDER BY occurred_at, place;

-- name: analyze_record
-- Let the planner know how large the tables have become that the laws read whole.
ANALYZE
    users, accounts, orders, order_events, order_fills, positions, closing_orders, close_bys,
    trades, ledger_holders, transfers, user_balances, balance_holds, balance_ledger, payment_transactions, audit_log;
