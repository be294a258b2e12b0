-- name: server_now
-- Read the server's clock.
SELECT clock_timestamp();

-- name: origin
-- Read what the server and its database are.
SELECT
    current_setting('server_version_num')::integer,
    current_database(),
    (SELECT r.rolname FROM pg_roles AS r WHERE r.oid = 10),
    ARRAY(SELECT r.rolname::text FROM pg_roles AS r WHERE r.rolname NOT LIKE 'pg\_%' ORDER BY 1);

-- name: readiness
-- Read what a copy of the files needs: a right, settings, and no place elsewhere.
SELECT
    (SELECT r.rolreplication OR r.rolsuper FROM pg_roles AS r WHERE r.rolname = current_user),
    current_user,
    current_setting('wal_level'),
    current_setting('max_wal_senders')::integer,
    current_setting('summarize_wal'),
    (SELECT count(*) FROM pg_tablespace AS t WHERE t.spcname NOT IN ('pg_default', 'pg_global'));

-- name: sizes
-- Read the bytes of all databases that this role may look at, of this one, and of its rows without indexes.
SELECT
    (
        SELECT coalesce(sum(pg_database_size(d.oid)), 0)
        FROM pg_database AS d
        WHERE has_database_privilege(d.oid, 'CONNECT') OR pg_has_role('pg_read_all_stats', 'USAGE')
    )::bigint,
    pg_database_size(current_database()),
    (SELECT coalesce(sum(pg_table_size(c.oid)), 0) FROM pg_class AS c WHERE c.relkind IN ('r', 'm'))::bigint;

-- name: wal_since
-- Read how many bytes of WAL were written since a place in it.
SELECT greatest(pg_wal_lsn_diff(pg_current_wal_lsn(), %(lsn)s::pg_lsn), 0)::bigint;

-- name: pin_text
-- Let rows be written as text the same way, whoever reads them.
SELECT
    set_config('TimeZone', 'UTC', true),
    set_config('DateStyle', 'ISO, YMD', true),
    set_config('IntervalStyle', 'iso_8601', true),
    set_config('extra_float_digits', '1', true),
    set_config('bytea_output', 'hex', true);

-- name: snapshot
-- Read when this snapshot was taken, and below which transaction all had ended by then.
SELECT clock_timestamp(), pg_snapshot_xmin(pg_current_snapshot())::text::bigint;

-- name: export_snapshot
-- Let another session see what this one sees.
SELECT pg_export_snapshot();

-- name: tables
-- List the tables, each with what may become of its rows; bits of tgtype: 1 row, 8 DELETE, 16 UPDATE.
SELECT
    c.relname,
    CASE
        WHEN NOT coalesce(g.refuses_deletes, false) OR g.is_pruned THEN 'free'
        WHEN g.refuses_updates THEN 'append-only'
        ELSE 'kept'
    END
FROM pg_class AS c
LEFT JOIN LATERAL (
    SELECT
        bool_or(t.tgtype & 8 = 8) AS refuses_deletes,
        bool_or(t.tgtype & 24 = 24) AS refuses_updates,
        bool_or(t.tgtype & 1 = 1) AS is_pruned
    FROM pg_trigger AS t
    JOIN pg_proc AS p ON p.oid = t.tgfoid
    WHERE t.tgrelid = c.oid AND p.proname = 'refuse_change'
) AS g ON true
WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
ORDER BY c.relname;

-- name: count_rows
-- Count the rows of a table.
SELECT count(*), 0, ''
FROM {table};

-- name: all_rows
-- Count and digest all rows of a table, in whatever order they lie.
SELECT
    count(*),
    count(*),
    coalesce(sum(('x' || substr(md5(t::text), 1, 16))::bit(64)::bigint::numeric), 0)::text
FROM {table} AS t;

-- name: settled_rows
-- Count the rows of a table, and count and digest those of transactions below the horizon.
SELECT
    count(*),
    count(*) FILTER (WHERE age(t.xmin) > age({horizon}::text::xid)),
    coalesce(
        sum(('x' || substr(md5(t::text), 1, 16))::bit(64)::bigint::numeric)
            FILTER (WHERE age(t.xmin) > age({horizon}::text::xid)),
        0
    )::text
FROM {table} AS t;

-- name: money
-- Read per currency what clients have, and how many transfers moved how much.
SELECT
    c.code,
    coalesce((SELECT sum(b.available + b.reserved) FROM holder_balances AS b WHERE b.currency = c.code), 0)::text,
    (SELECT count(*) FROM transfers AS t WHERE t.currency = c.code),
    coalesce((SELECT sum(t.amount) FROM transfers AS t WHERE t.currency = c.code), 0)::text
FROM currencies AS c
WHERE EXISTS (SELECT FROM ledger_holders AS h WHERE h.currency = c.code)
ORDER BY c.code;

-- name: audit_seal
-- Read a seal of the audit log: the last, or one by its number.
SELECT seq, encode(head, 'hex')
FROM audit_seals
WHERE seq = coalesce(%(seq)s::bigint, (SELECT max(seq) FROM audit_seals));

-- name: ledger_seal
-- Read a seal of the ledger: the last, or one by its number.
SELECT seq, encode(head, 'hex')
FROM ledger_seals
WHERE seq = coalesce(%(seq)s::bigint, (SELECT max(seq) FROM ledger_seals));

-- name: record_seal
-- Read a seal of the records: the last, or one by its number.
SELECT seq, encode(head, 'hex')
FROM record_seals
WHERE seq = coalesce(%(seq)s::bigint, (SELECT max(seq) FROM record_seals));

-- name: migrations
-- Read which migrations are applied, each with the checksum of its text.
SELECT version::text, checksum
FROM schema_migrations
ORDER BY 1;

-- name: objects
-- Sum up the definition of everything that the schema is made of; of months of the audit log only that they are there.
-- Written in the pretty way, which is the same after a dump; the other keeps parentheses that a dump does not.
WITH relations AS (
    SELECT c.*
    FROM pg_class AS c
    WHERE c.relnamespace = current_schema()::regnamespace AND c.relname !~ '^audit_log_[0-9]{4}_[0-9]{2}'
)
SELECT o.kind || ' ' || o.name, md5(string_agg(o.definition, ' ' ORDER BY o.definition))
FROM (
    SELECT 'table' AS kind, r.relname AS name, concat_ws(' ', r.relkind, r.relrowsecurity) AS definition
    FROM relations AS r
    WHERE r.relkind IN ('r', 'p', 'S')
    UNION ALL
    SELECT 'view', r.relname, pg_get_viewdef(r.oid, true)
    FROM relations AS r
    WHERE r.relkind IN ('v', 'm')
    UNION ALL
    SELECT
        'column',
        r.relname || '.' || a.attname,
        concat_ws(
            ' ', format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity, a.attgenerated,
            pg_get_expr(d.adbin, d.adrelid, true)
        )
    FROM relations AS r
    JOIN pg_attribute AS a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped
    LEFT JOIN pg_attrdef AS d ON d.adrelid = r.oid AND d.adnum = a.attnum
    WHERE r.relkind IN ('r', 'p')
    UNION ALL
    SELECT 'index', r.relname, pg_get_indexdef(r.oid, 0, true)
    FROM relations AS r
    WHERE r.relkind IN ('i', 'I')
    UNION ALL
    SELECT 'trigger', r.relname || '.' || t.tgname, concat_ws(' ', pg_get_triggerdef(t.oid, true), t.tgenabled)
    FROM relations AS r
    JOIN pg_trigger AS t ON t.tgrelid = r.oid AND NOT t.tgisinternal
    UNION ALL
    SELECT
        'constraint',
        coalesce(r.relname, format_type(k.contypid, NULL)) || '.' || k.conname,
        pg_get_constraintdef(k.oid, true)
    FROM pg_constraint AS k
    LEFT JOIN relations AS r ON r.oid = k.conrelid
    WHERE k.connamespace = current_schema()::regnamespace AND (r.oid IS NOT NULL OR k.contypid <> 0)
    UNION ALL
    SELECT 'function', p.oid::regprocedure::text, pg_get_functiondef(p.oid)
    FROM pg_proc AS p
    WHERE p.pronamespace = current_schema()::regnamespace AND p.prokind IN ('f', 'p')
    UNION ALL
    SELECT 'month', c.relname, pg_get_expr(c.relpartbound, c.oid)
    FROM pg_class AS c
    JOIN pg_inherits AS i ON i.inhrelid = c.oid AND i.inhparent = to_regclass('audit_log')
    WHERE c.relkind = 'r'
) AS o
GROUP BY o.kind, o.name;

-- name: newest_commit
-- Read when the last transaction was committed that the restore has found in the WAL.
SELECT pg_last_xact_replay_timestamp();

-- name: make_role
-- Make a role that a dump names as an owner or in a grant.
CREATE ROLE {role};

-- name: record_run
-- Write down what came of a backup or a drill.
INSERT INTO backup_runs
    (kind, backup, started_at, outcome, bytes, covers_until, restore_ms, error_code, error)
VALUES (
    %(kind)s, %(backup)s, %(started_at)s, %(outcome)s, %(bytes)s, %(covers_until)s, %(restore_ms)s,
    %(error_code)s, %(error)s
);

-- name: watch
-- End the alert that a good backup or drill ends.
SELECT raise_overdue_backups();

-- name: runs
-- Read backups and drills that have ended, the newest first.
SELECT kind, backup, started_at, finished_at, outcome, bytes, covers_until, restore_ms, error
FROM backup_runs
ORDER BY finished_at DESC
LIMIT %(count_max)s;

-- name: require_age
-- Declare how old the last of a kind may be, or that nothing is declared any more.
INSERT INTO backup_terms (kind, within)
VALUES (%(kind)s, %(within)s);
