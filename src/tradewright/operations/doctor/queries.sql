-- name: setting
-- Read a setting of the server as this session has it.
SELECT current_setting(%(name)s);

-- name: house_is_there
-- Tell whether the schema has the house's tables, and this role may look into it.
SELECT to_regclass('users') IS NOT NULL;

-- name: server_version
-- Read the server's version, as a number and in words.
SELECT current_setting('server_version_num')::integer, current_setting('server_version');

-- name: server_time
-- Read the server's clock.
SELECT clock_timestamp();

-- name: time_zones
-- Read the time zone that a session of this role begins with, and that of the log.
SELECT
    (SELECT s.reset_val FROM pg_settings AS s WHERE s.name = 'TimeZone'),
    current_setting('log_timezone');

-- name: synchronous_commit
-- Read how a commit is waited for by who sets nothing: in all databases or here, by all roles or one.
SELECT '', '', s.reset_val
FROM pg_settings AS s
WHERE s.name = 'synchronous_commit'
UNION ALL
SELECT coalesce(r.rolname, ''), coalesce(d.datname, ''), split_part(c.entry, '=', 2)
FROM pg_db_role_setting AS g
CROSS JOIN LATERAL unnest(g.setconfig) AS c (entry)
LEFT JOIN pg_roles AS r ON r.oid = g.setrole
LEFT JOIN pg_database AS d ON d.oid = g.setdatabase
WHERE split_part(c.entry, '=', 1) = 'synchronous_commit'
  AND (g.setdatabase = 0 OR d.datname = current_database());

-- name: invalid_indexes
-- Find indexes that no query may use, or that are not kept.
SELECT c.relname
FROM pg_index AS i
JOIN pg_class AS c ON c.oid = i.indexrelid
WHERE c.relnamespace = current_schema()::regnamespace
  AND NOT (i.indisvalid AND i.indisready AND i.indislive)
ORDER BY 1;

-- name: keys_without_index
-- Find foreign keys whose columns no index begins with.
SELECT c.conrelid::regclass || ' ' || c.conname
FROM pg_constraint AS c
JOIN pg_class AS t ON t.oid = c.conrelid
WHERE c.contype = 'f'
  AND c.conenforced
  AND c.conparentid = 0
  AND t.relnamespace = current_schema()::regnamespace
  AND NOT EXISTS (
      SELECT
      FROM pg_index AS i
      WHERE i.indrelid = c.conrelid
        AND i.indisvalid
        AND (i.indpred IS NULL OR pg_get_expr(i.indpred, i.indrelid) LIKE '%%IS NOT NULL%%')
        AND (
            (i.indkey::smallint[])[0:cardinality(c.conkey) - 1] @> c.conkey
            OR (i.indisunique AND c.conkey @> i.indkey::smallint[])
        )
  )
ORDER BY 1;

-- name: duplicate_indexes
-- Find indexes that another one repeats, column by column.
SELECT string_agg(i.indexrelid::regclass::text, ' = ' ORDER BY i.indexrelid::regclass::text)
FROM pg_index AS i
JOIN pg_class AS t ON t.oid = i.indrelid
WHERE t.relnamespace = current_schema()::regnamespace AND NOT t.relispartition
GROUP BY
    i.indrelid, i.indkey::text, i.indclass::text, i.indcollation::text, i.indoption::text,
    i.indexprs::text, i.indpred::text
HAVING count(*) > 1
ORDER BY 1;

-- name: unused_indexes
-- Find indexes that serve queries only and were never scanned, and since when that was counted.
SELECT s.indexrelname, pg_relation_size(s.indexrelid), d.stats_reset
FROM pg_stat_user_indexes AS s
JOIN pg_index AS i ON i.indexrelid = s.indexrelid
JOIN pg_stat_database AS d ON d.datname = current_database()
WHERE s.schemaname = current_schema()
  AND s.idx_scan = 0
  AND NOT i.indisunique
  AND pg_relation_size(s.indexrelid) >= %(bytes_min)s
ORDER BY 2 DESC, 1;

-- name: constraints_not_valid
-- Find constraints that old rows were never held against.
SELECT coalesce(t.relname || ' ', '') || c.conname
FROM pg_constraint AS c
LEFT JOIN pg_class AS t ON t.oid = c.conrelid
WHERE c.connamespace = current_schema()::regnamespace AND c.conenforced AND NOT c.convalidated
ORDER BY 1;

-- name: triggers
-- Read every trigger of the schema: its table, its name, and how it is switched.
SELECT c.relname, t.tgname, t.tgenabled
FROM pg_trigger AS t
JOIN pg_class AS c ON c.oid = t.tgrelid
WHERE c.relnamespace = current_schema()::regnamespace AND NOT t.tgisinternal;

-- name: open_partitions
-- Find partitions of the audit log without a guard of their own against all three changes.
SELECT c.relname
FROM pg_inherits AS i
JOIN pg_class AS c ON c.oid = i.inhrelid
WHERE i.inhparent = 'audit_log'::regclass
  AND NOT EXISTS (
      SELECT
      FROM pg_trigger AS t
      JOIN pg_proc AS p ON p.oid = t.tgfoid
      WHERE t.tgrelid = c.oid AND p.proname = 'refuse_change' AND t.tgtype & 56 = 56
        AND t.tgenabled IN ('O', 'A')
  )
ORDER BY 1;

-- name: replication_role
-- Read which triggers fire for a role that sets nothing, by role and database.
SELECT coalesce(r.rolname, 'all roles')
FROM pg_db_role_setting AS g
CROSS JOIN LATERAL unnest(g.setconfig) AS c (entry)
LEFT JOIN pg_roles AS r ON r.oid = g.setrole
WHERE c.entry = 'session_replication_role=replica'
  AND (g.setdatabase = 0 OR g.setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database()));

-- name: owners
-- Read who owns what is in the schema, whether that role may log in, and one thing that it owns.
SELECT r.rolname, r.rolcanlogin, r.rolsuper, min(o.name)
FROM (
    SELECT c.relowner AS owner_id, c.relname::text AS name
    FROM pg_class AS c
    WHERE c.relnamespace = current_schema()::regnamespace
    UNION ALL
    SELECT p.proowner, p.proname::text
    FROM pg_proc AS p
    WHERE p.pronamespace = current_schema()::regnamespace
    UNION ALL
    SELECT n.nspowner, n.nspname::text
    FROM pg_namespace AS n
    WHERE n.nspname = current_schema()
) AS o
JOIN pg_roles AS r ON r.oid = o.owner_id
GROUP BY r.rolname, r.rolcanlogin, r.rolsuper
ORDER BY count(*) DESC, r.rolname;

-- name: rights_that_differ
-- Find rights on tables that the three roles lack, or that anybody has beyond what is said of them.
WITH said AS (
    SELECT
        r.table_id,
        engine_role(r.role_name) AS role_name,
        split_part(g.entry, ' ', 1) AS privilege,
        c.name AS column_name
    FROM engine_rights AS r
    CROSS JOIN LATERAL unnest(r.rights) AS g (entry)
    CROSS JOIN LATERAL unnest(
        CASE
            WHEN strpos(g.entry, '(') = 0 THEN ARRAY[NULL::text]
            ELSE string_to_array(rtrim(split_part(g.entry, '(', 2), ')'), ', ')
        END
    ) AS c (name)
),
given AS (
    SELECT
        c.oid AS table_id,
        coalesce(o.rolname, 'PUBLIC') AS role_name,
        a.privilege_type AS privilege,
        a.column_name
    FROM pg_class AS c
    CROSS JOIN LATERAL (
        SELECT x.grantee, x.privilege_type, NULL::text AS column_name
        FROM aclexplode(c.relacl) AS x
        UNION ALL
        SELECT x.grantee, x.privilege_type, k.attname::text
        FROM pg_attribute AS k
        CROSS JOIN LATERAL aclexplode(k.attacl) AS x
        WHERE k.attrelid = c.oid
    ) AS a
    LEFT JOIN pg_roles AS o ON o.oid = a.grantee
    WHERE c.relnamespace = current_schema()::regnamespace
      AND c.relkind IN ('r', 'p', 'v', 'm')
      AND a.grantee <> c.relowner
)
SELECT
    d.kind,
    d.role_name || ' ' || d.privilege || ' ' || d.table_id::regclass || coalesce('.' || d.column_name, '')
FROM (
    SELECT 'missing' AS kind, m.* FROM (SELECT * FROM said EXCEPT SELECT * FROM given) AS m
    UNION ALL
    SELECT 'beyond', b.* FROM (SELECT * FROM given EXCEPT SELECT * FROM said) AS b
) AS d
ORDER BY 1, 2;

-- name: rights_beside_tables
-- Find rights to make things in the schema, and rights on sequences beyond reading by the three roles.
SELECT coalesce(r.rolname, 'PUBLIC') || ' CREATE in ' || n.nspname
FROM pg_namespace AS n
CROSS JOIN LATERAL aclexplode(n.nspacl) AS a
LEFT JOIN pg_roles AS r ON r.oid = a.grantee
WHERE n.nspname = current_schema() AND a.grantee <> n.nspowner AND a.privilege_type = 'CREATE'
UNION ALL
SELECT coalesce(r.rolname, 'PUBLIC') || ' ' || a.privilege_type || ' ' || c.relname
FROM pg_class AS c
CROSS JOIN LATERAL aclexplode(c.relacl) AS a
LEFT JOIN pg_roles AS r ON r.oid = a.grantee
WHERE c.relnamespace = current_schema()::regnamespace
  AND c.relkind = 'S'
  AND a.grantee <> c.relowner
  AND (
      a.privilege_type <> 'SELECT'
      OR coalesce(r.rolname, 'PUBLIC') NOT IN (engine_role('app'), engine_role('operator'), engine_role('reader'))
  )
ORDER BY 1;

-- name: functions_of_others
-- Find functions that somebody may call who is none of the three roles.
SELECT coalesce(r.rolname, 'PUBLIC') || ' ' || p.proname
FROM pg_proc AS p
CROSS JOIN LATERAL aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) AS a
LEFT JOIN pg_roles AS r ON r.oid = a.grantee
WHERE p.pronamespace = current_schema()::regnamespace
  AND a.grantee <> p.proowner
  AND coalesce(r.rolname, 'PUBLIC') NOT IN (engine_role('app'), engine_role('operator'), engine_role('reader'))
ORDER BY 1;

-- name: superusers_at_work
-- Find superusers who are members of a role of the house, or have a session of it beside this one.
SELECT DISTINCT r.rolname
FROM pg_roles AS r
WHERE r.rolsuper
  AND (
      EXISTS (
          SELECT
          FROM pg_auth_members AS m
          JOIN pg_roles AS h ON h.oid = m.roleid
          WHERE m.member = r.oid
            AND h.rolname IN (engine_role('app'), engine_role('operator'), engine_role('reader'))
      )
      OR EXISTS (
          SELECT
          FROM pg_stat_activity AS a
          WHERE a.usesysid = r.oid
            AND a.datname = current_database()
            AND a.pid <> pg_backend_pid()
            AND a.application_name LIKE 'tradewright%%'
      )
  )
ORDER BY 1;

-- name: functions_not_pinned
-- Find functions that look up names wherever the caller's search path leads.
SELECT p.proname
FROM pg_proc AS p
JOIN pg_language AS l ON l.oid = p.prolang
WHERE p.pronamespace = current_schema()::regnamespace
  AND (
      (
          p.prosecdef
          AND NOT coalesce(array_to_string(p.proconfig, ' ') ~ 'search_path=[^=]*pg_temp( [a-z_A-Z]+=|$)', false)
      )
      OR (
          l.lanname = 'plpgsql'
          AND p.provolatile <> 'i'
          AND NOT coalesce(array_to_string(p.proconfig, ' ') LIKE '%%search_path=%%', false)
      )
  )
ORDER BY 1;

-- name: audit_partitions
-- Read how many months of the audit log are ready, this one first, without a gap, and what stands in the way.
SELECT
    (
        SELECT count(*)
        FROM generate_series(0, 24) AS s (n)
        WHERE NOT EXISTS (
            SELECT
            FROM generate_series(0, s.n) AS b (n)
            WHERE NOT EXISTS (
                SELECT
                FROM pg_inherits AS i
                WHERE i.inhparent = 'audit_log'::regclass
                  AND NOT i.inhdetachpending
                  AND i.inhrelid = to_regclass(
                      'audit_log_' || to_char(
                          date_trunc('month', clock_timestamp() AT TIME ZONE 'UTC')
                              + make_interval(months => b.n),
                          'YYYY_MM'
                      )
                  )
            )
        )
    ),
    (
        SELECT p.partdefid::regclass::text
        FROM pg_partitioned_table AS p
        WHERE p.partrelid = 'audit_log'::regclass AND p.partdefid <> 0
    ),
    (
        SELECT min(i.inhrelid::regclass::text)
        FROM pg_inherits AS i
        WHERE i.inhparent = 'audit_log'::regclass AND i.inhdetachpending
    );

-- name: jobs_in_trouble
-- Find jobs that fail again and again, or that nobody has run for five of their beats and ten minutes.
SELECT
    j.name,
    j.failure_count >= 3,
    extract(epoch FROM clock_timestamp() - j.next_due_at)::bigint
FROM jobs AS j
WHERE j.is_enabled
  AND (
      j.failure_count >= 3
      OR j.next_due_at < clock_timestamp()
          - greatest(5 * coalesce(j.every, interval '1 hour'), interval '10 minutes')
  )
ORDER BY j.name;

-- name: oldest_unsealed
-- Read since when the oldest row of each record waits for its seal.
SELECT 'audit log', min(a.created_at), clock_timestamp() - min(a.created_at)
FROM audit_log AS a
WHERE a.txid >= (SELECT coalesce(max(s.to_txid), 0) FROM audit_seals AS s)
UNION ALL
SELECT 'ledger', min(t.created_at), clock_timestamp() - min(t.created_at)
FROM transfers AS t
WHERE t.txid >= (SELECT coalesce(max(s.to_txid), 0) FROM ledger_seals AS s)
UNION ALL
SELECT 'events of orders', min(e.occurred_at), clock_timestamp() - min(e.occurred_at)
FROM order_events AS e
WHERE e.occurred_at > (SELECT coalesce(max(s.sealed_at), '-infinity') FROM record_seals AS s);

-- name: critical_alerts
-- Read the critical alerts that nobody has seen and that are not over.
SELECT kind || ' ' || about, raised_at
FROM alerts
WHERE severity = 'critical' AND acknowledged_at IS NULL AND resolved_at IS NULL
ORDER BY raised_at;

-- name: engines
-- Read each engine that was not taken over: whether it lives, and what it has with providers.
SELECT
    e.id::text,
    hashtextextended(current_schema() || '/engine/' || e.id, 0) IN (
        SELECT (l.classid::bigint << 32) | l.objid::bigint
        FROM pg_locks AS l
        JOIN pg_stat_activity AS a ON a.pid = l.pid AND a.datname = current_database()
        WHERE l.locktype = 'advisory'
          AND l.objsubid = 1
          AND l.granted
          AND has_table_privilege(a.usesysid, 'engines', 'INSERT')
    ),
    (
        SELECT count(*)
        FROM orders AS o
        WHERE o.engine_id = e.id AND o.is_routed AND o.remaining_quantity > 0
          AND o.status IN ('pending_new', 'new', 'partially_filled', 'pending_cancel', 'pending_replace')
    ) + (SELECT count(*) FROM hedges AS h WHERE h.engine_id = e.id AND h.status = 'open')
FROM engines AS e
WHERE e.taken_over_by IS NULL
ORDER BY e.id;

-- name: long_transactions
-- Read transactions of this database that have been open for long: process, who, how, for how long.
SELECT a.pid, coalesce(a.usename, a.backend_type), a.state, extract(epoch FROM clock_timestamp() - a.xact_start)::bigint
FROM pg_stat_activity AS a
WHERE a.datname = current_database()
  AND a.pid <> pg_backend_pid()
  AND a.backend_type = 'client backend'
  AND (
      a.xact_start < clock_timestamp() - make_interval(secs => %(seconds_max)s)
      OR (
          a.state LIKE 'idle in transaction%%'
          AND a.state_change < clock_timestamp() - make_interval(secs => %(idle_seconds_max)s)
      )
  )
ORDER BY a.xact_start;

-- name: visible_sessions
-- Tell whether this role may see what others' sessions do.
SELECT pg_has_role(current_user, 'pg_read_all_stats', 'USAGE');

-- name: blocked_sessions
-- Read sessions that wait for a lock, and which processes hold it.
SELECT a.pid, array_to_string(pg_blocking_pids(a.pid), ', ')
FROM pg_stat_activity AS a
JOIN pg_locks AS l ON l.pid = a.pid AND NOT l.granted
WHERE a.datname = current_database()
  AND l.waitstart < clock_timestamp() - make_interval(secs => %(seconds_max)s)
ORDER BY l.waitstart;

-- name: transaction_ids
-- Read how old the transaction or multixact id is that is the nearest to its freeze, and when that begins.
SELECT
    d.datname,
    o.kind,
    o.age,
    current_setting(o.freeze_at)::bigint,
    current_setting('autovacuum')
FROM pg_database AS d
CROSS JOIN LATERAL (
    VALUES
        ('transaction', age(d.datfrozenxid)::bigint, 'autovacuum_freeze_max_age'),
        ('multixact', mxid_age(d.datminmxid)::bigint, 'autovacuum_multixact_freeze_max_age')
) AS o (kind, age, freeze_at)
WHERE d.datallowconn
ORDER BY o.age::numeric / current_setting(o.freeze_at)::bigint DESC
LIMIT 1;

-- name: tables_without_autovacuum
-- Find tables that autovacuum passes over.
SELECT c.relname
FROM pg_class AS c
WHERE c.relnamespace = current_schema()::regnamespace AND 'autovacuum_enabled=false' = ANY(c.reloptions)
ORDER BY 1;

-- name: sequences_used
-- Read what share of each sequence is used, and whether this role may know.
SELECT
    s.sequencename,
    has_sequence_privilege(format('%%I.%%I', s.schemaname, s.sequencename), 'USAGE, SELECT'),
    ((coalesce(s.last_value, s.min_value) - s.min_value)::numeric / (s.max_value - s.min_value)::numeric)::numeric(6, 4)
FROM pg_sequences AS s
WHERE s.schemaname = current_schema()
  AND s.increment_by > 0
  AND NOT s.cycle
ORDER BY 3 DESC, 1;

-- name: numbered_columns
-- Find the columns that a sequence numbers, and where the sequence stands.
SELECT
    c.relname,
    k.attname,
    s.relname,
    pg_sequence_last_value(s.oid),
    has_sequence_privilege(s.oid, 'USAGE, SELECT')
FROM pg_class AS s
JOIN pg_depend AS d ON d.objid = s.oid AND d.classid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')
JOIN pg_class AS c ON c.oid = d.refobjid
JOIN pg_attribute AS k ON k.attrelid = c.oid AND k.attnum = d.refobjsubid
WHERE s.relkind = 'S' AND s.relnamespace = current_schema()::regnamespace
ORDER BY 1, 2;

-- name: highest_number
-- Read the highest number of a column.
SELECT coalesce(max({column}), 0)
FROM {table};

-- name: dead_rows
-- Find tables with many rows that are dead and take room: how many, and for how many live ones.
SELECT s.relname, s.n_dead_tup, s.n_live_tup
FROM pg_stat_user_tables AS s
WHERE s.schemaname = current_schema()
  AND s.n_dead_tup >= %(dead_min)s
  AND s.n_dead_tup > 0.5 * s.n_live_tup
ORDER BY 2 DESC;

-- name: connections
-- Count the sessions of clients, and how many the server takes from who is no superuser.
-- Of what sessions are it tells nobody but their own roles and pg_monitor; whose they are, everybody.
SELECT
    (
        SELECT count(*)
        FROM pg_stat_activity AS a
        WHERE a.usesysid IS NOT NULL AND coalesce(a.backend_type, 'client backend') = 'client backend'
    ),
    current_setting('max_connections')::integer
        - current_setting('superuser_reserved_connections')::integer
        - current_setting('reserved_connections')::integer;

-- name: last_backups
-- Read the last backup and the last drill that were good, and what went wrong after them.
SELECT
    k.kind,
    (
        SELECT max(b.finished_at)
        FROM backup_runs AS b
        WHERE b.outcome = 'succeeded' AND (b.kind = 'drill') = (k.kind = 'drill')
    ),
    clock_timestamp(),
    (SELECT t.within FROM backup_terms AS t WHERE t.kind = k.kind ORDER BY t.seq DESC LIMIT 1),
    (
        SELECT b.error
        FROM backup_runs AS b
        WHERE (b.kind = 'drill') = (k.kind = 'drill')
        ORDER BY b.finished_at DESC
        LIMIT 1
    )
FROM (VALUES ('backup'), ('drill')) AS k (kind);

-- name: archiving
-- Read how the WAL is archived, and what the house has declared about it.
SELECT
    (SELECT t.within FROM backup_terms AS t WHERE t.kind = 'archive' ORDER BY t.seq DESC LIMIT 1),
    current_setting('wal_level'),
    current_setting('archive_mode'),
    a.last_archived_time,
    a.last_failed_time,
    clock_timestamp(),
    pg_is_in_recovery()
FROM pg_stat_archiver AS a;

-- name: standbys
-- Read how many standbys follow, how far the nearest is behind, and what the house has declared.
SELECT
    (SELECT t.within FROM backup_terms AS t WHERE t.kind = 'standby' ORDER BY t.seq DESC LIMIT 1),
    (SELECT count(*) FROM pg_stat_replication AS r WHERE r.state = 'streaming'),
    (SELECT min(coalesce(r.flush_lag, interval '0')) FROM pg_stat_replication AS r WHERE r.state = 'streaming'),
    pg_is_in_recovery(),
    current_setting('synchronous_standby_names'),
    (SELECT count(*) FROM pg_stat_replication AS r WHERE r.sync_state IN ('sync', 'quorum'));

-- name: replication_slots
-- Find slots that hold back WAL for nobody, or have lost what they were for.
SELECT
    s.slot_name,
    s.wal_status = 'lost' OR s.invalidation_reason IS NOT NULL,
    pg_wal_lsn_diff(
        CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END, s.restart_lsn
    )::bigint
FROM pg_replication_slots AS s
WHERE NOT s.temporary
  AND (
      s.wal_status = 'lost'
      OR s.invalidation_reason IS NOT NULL
      OR (
          NOT s.active
          AND coalesce(s.inactive_since, '-infinity') < clock_timestamp() - make_interval(secs => %(seconds_max)s)
      )
  )
ORDER BY 2 DESC, s.slot_name;

-- name: prepared_transactions
-- Read transactions that were prepared, and neither committed nor rolled back for long.
SELECT p.gid, p.owner, extract(epoch FROM clock_timestamp() - p.prepared)::bigint
FROM pg_prepared_xacts AS p
WHERE p.prepared < clock_timestamp() - make_interval(secs => %(seconds_max)s)
ORDER BY p.prepared;

-- name: collations
-- Find what sorts by another version of the system's rules than its indexes were built with.
SELECT 'database ' || d.datname, d.datcollversion, pg_database_collation_actual_version(d.oid)
FROM pg_database AS d
WHERE d.datname = current_database()
  AND d.datcollversion IS DISTINCT FROM pg_database_collation_actual_version(d.oid)
UNION ALL
SELECT DISTINCT 'collation ' || c.collname, c.collversion, pg_collation_actual_version(c.oid)
FROM pg_attribute AS a
JOIN pg_class AS t ON t.oid = a.attrelid
JOIN pg_collation AS c ON c.oid = a.attcollation
WHERE t.relnamespace = current_schema()::regnamespace
  AND c.collversion IS DISTINCT FROM pg_collation_actual_version(c.oid)
  AND c.collprovider <> 'd'
ORDER BY 1;

-- name: settings_waiting
-- Find settings that were changed and are not in force until the server starts again.
SELECT s.name
FROM pg_settings AS s
WHERE s.pending_restart
ORDER BY 1;

-- name: tables_without_statistics
-- Find tables of some size of which the planner knows nothing.
SELECT c.relname
FROM pg_class AS c
WHERE c.relnamespace = current_schema()::regnamespace
  AND c.relkind IN ('r', 'm')
  AND pg_relation_size(c.oid) >= %(bytes_min)s
  AND c.reltuples < 0
ORDER BY pg_relation_size(c.oid) DESC, 1;

-- name: checksum_failures
-- Count pages whose checksum was wrong, in all databases, and when the last was met.
SELECT coalesce(sum(d.checksum_failures), 0)::bigint, max(d.checksum_last_failure)
FROM pg_stat_database AS d;
