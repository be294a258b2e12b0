-- name: may_archive
-- Tell whether this session may alter audit_log: only its owner may detach and attach months.
SELECT pg_has_role(relowner, 'USAGE')
FROM pg_class
WHERE oid = 'audit_log'::regclass;

-- name: take_turn
-- Let one session at a time claim the archive.
SELECT take_turn('archive');

-- name: without_deadlines
-- Let this session read a whole month, however long that takes, while its client is there.
SELECT
    set_config('transaction_timeout', '0', false),
    set_config('client_connection_check_interval', '1000', false),
    set_config('idle_in_transaction_session_timeout', '0', false);

-- name: with_deadline
-- Let a detach wait for older transactions, but not for ever.
SELECT set_config('lock_timeout', '0', false), set_config('statement_timeout', %(limit)s, false);

-- name: lock_timeout
-- Read how long this session waits for a lock.
SELECT current_setting('lock_timeout');

-- name: without_deadline
-- Let this session wait for locks as long as before, and read for as long as it takes.
SELECT set_config('lock_timeout', %(lock_timeout)s, false), set_config('statement_timeout', '0', false);

-- name: running
-- Read which other transactions run in this database now, whoever's they are.
SELECT l.virtualtransaction
FROM pg_locks AS l
JOIN pg_stat_activity AS a ON a.pid = l.pid
WHERE l.locktype = 'virtualxid'
  AND l.mode = 'ExclusiveLock'
  AND l.pid <> pg_backend_pid()
  AND a.datname = current_database();

-- name: in_one_snapshot
-- Let all that this transaction reads be of one moment.
SET TRANSACTION ISOLATION LEVEL REPEATABLE READ;

-- name: months
-- Read every month that has a table or an archive, oldest first.
SELECT
    m.month,
    m.table_id IS NOT NULL,
    m.is_attached,
    m.is_pending,
    m.state,
    m.is_due,
    m.is_held,
    coalesce(a.detached_at + make_interval(days => r.grace_days) <= clock_timestamp(), false),
    (a.detached_at + make_interval(days => r.grace_days))::date,
    a.kept_until,
    coalesce(a.state = 'restored' AND coalesce(a.kept_until >= current_date, true), false)
FROM audit_months AS m
LEFT JOIN audit_archives AS a ON a.month = m.month
CROSS JOIN audit_retention AS r
ORDER BY m.month;

-- name: archives
-- Read what is recorded of all archived months, or of one, oldest first.
SELECT
    a.month,
    a.state,
    a.row_count,
    a.first_at,
    a.last_at,
    encode(a.digest, 'hex'),
    a.file_bytes,
    encode(a.file_sha256, 'hex'),
    a.written_at,
    a.detached_at,
    a.dropped_at,
    a.purged_at,
    a.kept_until,
    m.is_held,
    m.table_id IS NOT NULL
FROM audit_archives AS a
JOIN audit_months AS m ON m.month = a.month
WHERE %(month)s::date IS NULL OR a.month = %(month)s::date
ORDER BY a.month;

-- name: refuse_counting_anew
-- Refuse where transactions are counted anew, from below what is sealed.
SELECT refuse_counting_anew('audit log', max(to_txid))
FROM audit_seals;

-- name: unsealed_rows
-- Count the rows of a month that no seal covers yet.
SELECT count(*)
FROM audit_log
WHERE created_at >= %(month)s::date::timestamp AT TIME ZONE 'UTC'
  AND created_at < (%(month)s::date + interval '1 month') AT TIME ZONE 'UTC'
  AND txid >= (SELECT coalesce(max(to_txid), 0) FROM audit_seals);

-- name: month_table
-- Name the table of a month.
SELECT audit_month_table(%(month)s);

-- name: month_rows
-- Read the rows of a month with their hashes, in the order of seals.
SELECT
    a.id,
    a.seq,
    a.txid,
    a.created_at,
    a.actor,
    a.database_role,
    a.table_name,
    a.row_id,
    a.action,
    a.changes::text,
    a.reason,
    audit_row_hash(to_jsonb(a))
FROM {table} AS a
ORDER BY a.txid, a.seq;

-- name: seals_of_month
-- Read the seals that cover rows of a month, and how many of them.
SELECT s.seq, s.from_txid, s.to_txid, s.row_count, encode(s.head, 'hex'), n.row_count
FROM audit_seals AS s
CROSS JOIN LATERAL (
    SELECT count(*) AS row_count
    FROM {table} AS a
    WHERE a.txid >= s.from_txid AND a.txid < s.to_txid
) AS n
WHERE s.to_txid > %(first)s AND s.from_txid <= %(last)s AND n.row_count > 0
ORDER BY s.seq;

-- name: seals_of_archive
-- Read the seals that cover rows of an archived month, and how many of them.
SELECT s.seq, s.from_txid, s.to_txid, s.row_count, encode(s.head, 'hex'), sum(cardinality(g.txids))
FROM audit_archive_segments AS g
JOIN audit_seals AS s ON s.seq = g.seal_seq
WHERE g.month = %(month)s
GROUP BY s.seq
ORDER BY s.seq;

-- name: parts_of_archive
-- List the parts in which the hashes of an archived month are kept.
SELECT seal_seq, part
FROM audit_archive_segments
WHERE month = %(month)s
ORDER BY seal_seq, part;

-- name: part_of_archive
-- Read some of the hashes that were kept of an archived month.
SELECT row_hashes
FROM audit_archive_segments
WHERE (seal_seq, month, part) = (%(seal_seq)s, %(month)s, %(part)s);

-- name: bad_seals
-- Find those of some seals that do not match the rows that they cover, or the seal before them.
SELECT s.seq
FROM audit_seals AS s
LEFT JOIN audit_seals AS p ON p.seq = s.seq - 1
CROSS JOIN (SELECT is_counting_anew(max(to_txid)) AS is_anew FROM audit_seals) AS server
CROSS JOIN LATERAL audit_segment_digest(
    s.from_txid, s.to_txid, CASE WHEN server.is_anew THEN s.row_count END, s.seq
) AS d
WHERE s.seq = ANY(%(seqs)s::bigint[])
  AND (
      s.from_txid <> coalesce(p.to_txid, 0)
      OR s.row_count <> d.row_count
      OR s.digest <> d.digest
      OR s.head <> audit_seal_head(p.head, s)
  )
ORDER BY s.seq;

-- name: record_archive
-- Record that a month is written, and what its file holds.
INSERT INTO audit_archives (month, row_count, first_at, last_at, digest, file_bytes, file_sha256)
VALUES (
    %(month)s, %(row_count)s, %(first_at)s, %(last_at)s, %(digest)s, %(file_bytes)s, decode(%(file_sha256)s, 'hex')
);

-- name: record_segments
-- Keep the hashes of the rows of a month by the seals that cover them, some rows at a time.
INSERT INTO audit_archive_segments (seal_seq, month, part, txids, seqs, row_hashes)
SELECT
    n.seal_seq,
    %(month)s,
    n.part,
    array_agg(n.txid ORDER BY n.txid, n.seq),
    array_agg(n.seq ORDER BY n.txid, n.seq),
    string_agg(n.row_hash, ''::bytea ORDER BY n.txid, n.seq)
FROM (
    SELECT
        s.seq AS seal_seq,
        (row_number() OVER (PARTITION BY s.seq ORDER BY a.txid, a.seq) - 1) / %(rows_max)s AS part,
        a.txid,
        a.seq,
        audit_row_hash(to_jsonb(a)) AS row_hash
    FROM audit_seals AS s
    JOIN {table} AS a ON a.txid >= s.from_txid AND a.txid < s.to_txid
    WHERE s.seq = ANY(%(seqs)s::bigint[])
) AS n
GROUP BY n.seal_seq, n.part;

-- name: record_counts
-- Keep how often each row was changed in a month, by the rows of the seals after one.
INSERT INTO audit_archive_counts (row_id, table_name, month, after_seal_seq, change_count, is_deleted)
SELECT a.row_id, a.table_name, %(month)s, %(after_seal_seq)s, count(*), bool_or(a.action = 'delete')
FROM {table} AS a
WHERE a.txid >= coalesce((SELECT s.to_txid FROM audit_seals AS s WHERE s.seq = %(after_seal_seq)s), 0)
GROUP BY a.row_id, a.table_name;

-- name: last_kept_seal
-- Read the last seal whose hashes are kept of a month, 0 where there is none.
SELECT coalesce(max(seal_seq), 0)
FROM audit_archive_segments
WHERE month = %(month)s;

-- name: rows_come_late
-- Count by how many rows a month's table has grown since it was recorded.
SELECT (SELECT count(*) FROM {table}) - row_count
FROM audit_archives
WHERE month = %(month)s;

-- name: record_growth
-- Record what the file of a month holds that was written anew with rows that have come late.
UPDATE audit_archives
SET
    row_count = %(row_count)s,
    first_at = %(first_at)s,
    last_at = %(last_at)s,
    digest = %(digest)s,
    file_bytes = %(file_bytes)s,
    file_sha256 = decode(%(file_sha256)s, 'hex')
WHERE month = %(month)s;

-- name: counts
-- Read how often each row was changed in a month.
SELECT table_name, row_id::text, sum(change_count)::bigint, bool_or(is_deleted)
FROM audit_archive_counts
WHERE month = %(month)s
GROUP BY table_name, row_id;

-- name: record_file
-- Record the file that was written anew for a month.
UPDATE audit_archives
SET file_bytes = %(file_bytes)s, file_sha256 = decode(%(file_sha256)s, 'hex')
WHERE month = %(month)s;

-- name: take_step
-- Let an archived month come to another state.
UPDATE audit_archives
SET state = %(state)s, kept_until = NULL
WHERE month = %(month)s;

-- name: detach_statement
-- Write the statement that detaches a month, or finishes a detach that was cut off; none when it is done.
SELECT format(
    'ALTER TABLE audit_log DETACH PARTITION %%I %%s',
    audit_month_table(month),
    CASE WHEN is_pending THEN 'FINALIZE' ELSE 'CONCURRENTLY' END
)
FROM audit_months
WHERE month = %(month)s AND is_attached;

-- name: drop_month
-- Drop the table of a detached month.
SELECT drop_archived_month(%(month)s);

-- name: build_month
-- Build the table of a month aside, and write the statement that fills it.
SELECT format(
    'COPY %%I (id, seq, txid, created_at, actor, database_role, table_name, row_id, action, changes, reason) FROM STDIN',
    build_audit_month(%(month)s)
);

-- name: attach_month
-- Bring a month back into audit_log.
SELECT attach_archived_month(%(month)s, %(kept_until)s);

-- name: refuse_changed_month
-- Refuse a month whose table holds other rows than its archive.
SELECT refuse_changed_month(%(month)s);

-- name: purgeable
-- Read the months that need not be kept any more, and those that were purged.
SELECT a.month, a.state
FROM audit_archives AS a
CROSS JOIN audit_retention AS r
JOIN audit_months AS m ON m.month = a.month
WHERE a.state = 'purged'
   OR (
       a.state = 'dropped'
       AND NOT m.is_held
       AND (a.month + make_interval(months => r.months_total + 1)) AT TIME ZONE 'UTC' <= clock_timestamp()
   )
ORDER BY a.month;

-- name: retention
-- Read how long the audit log is kept.
SELECT months_online, months_total, grace_days
FROM audit_retention;

-- name: change_retention
-- Change how long the audit log is kept.
UPDATE audit_retention
SET months_online = %(months_online)s, months_total = %(months_total)s, grace_days = %(grace_days)s;

-- name: hold
-- Hold months, or all.
INSERT INTO audit_holds (from_month, to_month, actor, reason)
VALUES (%(from_month)s, %(to_month)s, %(actor)s, %(reason)s)
RETURNING id::text;

-- name: lift
-- Lift a hold.
UPDATE audit_holds
SET lifted_by = %(actor)s, lift_reason = %(reason)s, lifted_at = clock_timestamp()
WHERE id = %(id)s AND lifted_at IS NULL
RETURNING id::text;

-- name: holds
-- Read the holds, those that were lifted too if they are asked for, oldest first.
SELECT id::text, from_month, to_month, actor, reason, held_at, lifted_by, lift_reason, lifted_at
FROM audit_holds
WHERE lifted_at IS NULL OR %(with_lifted)s
ORDER BY held_at, id;
