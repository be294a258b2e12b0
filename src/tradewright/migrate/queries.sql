-- The runner's own queries. {schema} is replaced by the quoted schema, because a migration may
-- leave any search_path behind.

-- name: schema_exists
-- Tell whether the schema is there, without needing the right to create it.
SELECT to_regnamespace(%(schema)s) IS NOT NULL;

-- name: create_schema
-- Make the schema that everything lives in.
CREATE SCHEMA IF NOT EXISTS {schema};

-- name: history_exists
-- Tell whether the table of history is there.
SELECT to_regclass(%(table)s) IS NOT NULL;

-- name: create_history
-- Make the table of history.
CREATE TABLE IF NOT EXISTS {schema}.schema_migrations (
    version numeric NOT NULL,
    name text NOT NULL,
    checksum text NOT NULL,
    direction text NOT NULL,
    statements_done integer NOT NULL,
    statements_total integer NOT NULL,
    statement_started integer,
    done_checksum text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    finished_at timestamptz,
    applied_by text NOT NULL DEFAULT session_user,
    execution_ms bigint,
    CONSTRAINT schema_migrations_version_is_unique PRIMARY KEY (version),
    CONSTRAINT schema_migrations_version_is_finite
        CHECK (version > '-Infinity' AND version < 'Infinity'),
    CONSTRAINT schema_migrations_direction_is_known CHECK (direction IN ('up', 'down')),
    CONSTRAINT schema_migrations_progress_is_within_file
        CHECK (statements_done BETWEEN 0 AND statements_total),
    CONSTRAINT schema_migrations_finished_is_complete
        CHECK (finished_at IS NULL OR statements_done = statements_total)
);

-- name: versions_are_whole
-- Tell whether a history was made before versions could have dots.
SELECT atttypid = 'bigint'::regtype
FROM pg_attribute
WHERE attrelid = to_regclass(%(table)s) AND attname = 'version';

-- name: widen_versions
-- Let versions have dots.
ALTER TABLE {schema}.schema_migrations
    ALTER COLUMN version TYPE numeric,
    DROP CONSTRAINT IF EXISTS schema_migrations_version_is_finite,
    ADD CONSTRAINT schema_migrations_version_is_finite
        CHECK (version > '-Infinity' AND version < 'Infinity');

-- name: comment_history
-- Say what the table of history is for, to whoever finds it.
COMMENT ON TABLE {schema}.schema_migrations IS
    'One row per applied migration; without finished_at it stopped half-way and can be resumed.';

-- name: history
-- All rows of history, lowest version first.
SELECT
    version,
    name,
    checksum,
    direction,
    statements_done,
    statements_total,
    statement_started,
    done_checksum,
    applied_at,
    finished_at,
    applied_by,
    execution_ms
FROM {schema}.schema_migrations
ORDER BY version;

-- name: begin_file
-- Record that a file begins, or that it begins again after a failure.
INSERT INTO {schema}.schema_migrations AS kept (
    version, name, checksum, direction, statements_done, statements_total, done_checksum
)
VALUES (
    %(version)s, %(name)s, %(checksum)s, %(direction)s, %(done)s, %(total)s, %(done_checksum)s
)
ON CONFLICT (version) DO UPDATE SET
    checksum = CASE EXCLUDED.direction WHEN 'up' THEN EXCLUDED.checksum ELSE kept.checksum END,
    direction = EXCLUDED.direction,
    statements_done = EXCLUDED.statements_done,
    statements_total = EXCLUDED.statements_total,
    statement_started = NULL,
    done_checksum = EXCLUDED.done_checksum,
    finished_at = NULL;

-- name: resume_file
-- Record the text that a half-run file has now; what had already run is unchanged in it.
UPDATE {schema}.schema_migrations
SET
    checksum = CASE direction WHEN 'up' THEN %(checksum)s ELSE checksum END,
    statements_total = %(total)s
WHERE version = %(version)s;

-- name: start_statement
-- Record that a statement that cannot be part of a transaction is about to run.
UPDATE {schema}.schema_migrations
SET statement_started = %(started)s
WHERE version = %(version)s;

-- name: finish_statement
-- Record how many statements of the file are done.
UPDATE {schema}.schema_migrations
SET
    statements_done = %(done)s,
    statement_started = NULL,
    done_checksum = %(done_checksum)s
WHERE version = %(version)s;

-- name: finish_file
-- Record that the file is applied.
UPDATE {schema}.schema_migrations
SET
    statements_done = statements_total,
    statement_started = NULL,
    finished_at = clock_timestamp(),
    execution_ms = %(execution_ms)s
WHERE version = %(version)s;

-- name: forget_file
-- Remove the row of a file that was rolled back.
DELETE FROM {schema}.schema_migrations
WHERE version = %(version)s;

-- name: forget_repeatables
-- Remove the rows of repeatable migrations, which are kept below zero.
DELETE FROM {schema}.schema_migrations
WHERE version < 0;

-- name: backend_pid
-- The server process behind this session; two sessions must not share one.
SELECT pg_backend_pid();

-- name: index_on_table
-- One index of a table by its unqualified name: qualified name and validity.
SELECT
    format('%%I.%%I', space.nspname, named.relname),
    facts.indisvalid
FROM pg_index AS facts
JOIN pg_class AS named ON named.oid = facts.indexrelid
JOIN pg_namespace AS space ON space.oid = named.relnamespace
WHERE facts.indrelid = to_regclass(%(table)s) AND named.relname = (parse_ident(%(index)s))[1];

-- name: relation_exists
-- Tell whether a table, index or view of this name is there.
SELECT to_regclass(%(relation)s) IS NOT NULL;

-- name: detach_state
-- Whether a partition is attached, and whether a cancelled detach of it waits to be finished.
SELECT link.inhdetachpending
FROM pg_inherits AS link
WHERE link.inhparent = to_regclass(%(parent)s) AND link.inhrelid = to_regclass(%(partition)s);

-- name: watch_client
-- Let the server end a statement when its client has vanished.
SELECT set_config('client_connection_check_interval', '1000', false);

-- name: set_lock_timeout
-- Change how long this session waits for a lock, and tell how long it did.
SELECT
    current_setting('lock_timeout'),
    set_config('lock_timeout', %(value)s, false);

-- name: interrupted_rebuilds
-- INVALID indexes that an interrupted REINDEX CONCURRENTLY left on a table or beside an index.
SELECT format('%%I.%%I', space.nspname, named.relname)
FROM pg_index AS facts
JOIN pg_class AS named ON named.oid = facts.indexrelid
JOIN pg_namespace AS space ON space.oid = named.relnamespace
WHERE
    NOT facts.indisvalid
    AND named.relname ~ '_cc(new|old)[0-9]*$'
    AND facts.indrelid = coalesce(
        (SELECT indrelid FROM pg_index WHERE indexrelid = to_regclass(%(relation)s)),
        to_regclass(%(relation)s)
    );

-- name: history_out
-- Read the history as a stream.
COPY {schema}.schema_migrations TO STDOUT;

-- name: history_in
-- Write the history as a stream.
COPY {schema}.schema_migrations FROM STDIN;

-- name: role_names
-- The roles that somebody made.
SELECT rolname FROM pg_roles WHERE rolname NOT LIKE 'pg\_%%' ORDER BY rolname;

-- name: relation_sizes
-- Every table and index of the users with the bytes it takes, toast and indexes of it included.
SELECT
    format('%%I.%%I', space.nspname, relation.relname),
    pg_total_relation_size(relation.oid)
FROM pg_class AS relation
JOIN pg_namespace AS space ON space.oid = relation.relnamespace
WHERE
    relation.relkind IN ('r', 'm', 'i')
    AND space.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast');

-- name: relations
-- Every relation of the users: id, name, the file it is stored in, scans in this transaction.
SELECT
    relation.oid,
    format('%%I.%%I', space.nspname, relation.relname),
    relation.relfilenode,
    CASE
        WHEN relation.relkind IN ('r', 'm')
            THEN coalesce(pg_stat_get_xact_numscans(relation.oid), 0)
        ELSE 0
    END
FROM pg_class AS relation
JOIN pg_namespace AS space ON space.oid = relation.relnamespace
WHERE
    relation.relkind IN ('r', 'p', 'm', 'v', 'S', 'f', 'i', 'I')
    AND space.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
    AND space.nspname NOT LIKE 'pg\_temp\_%%'
    AND NOT (relation.relname = 'schema_migrations' AND space.nspname = %(schema)s);

-- name: locks_held
-- The locks on relations that this session holds.
SELECT relation, mode
FROM pg_locks
WHERE pid = pg_backend_pid() AND locktype = 'relation' AND granted;

-- name: relation_name
-- The qualified name of a relation, or nothing when there is none.
SELECT format('%%I.%%I', space.nspname, relation.relname)
FROM pg_class AS relation
JOIN pg_namespace AS space ON space.oid = relation.relnamespace
WHERE relation.oid = to_regclass(%(relation)s);

-- name: accept_file
-- Record that an applied file reads otherwise now, and that this is right.
UPDATE {schema}.schema_migrations
SET
    checksum = %(checksum)s,
    statements_done = %(total)s,
    statements_total = %(total)s
WHERE version = %(version)s;

-- name: invalid_indexes
-- INVALID indexes of the schema, and whether an interrupted rebuild left them.
SELECT
    format('%%I.%%I', space.nspname, named.relname),
    named.relname ~ '_cc(new|old)[0-9]*$'
FROM pg_index AS facts
JOIN pg_class AS named ON named.oid = facts.indexrelid
JOIN pg_namespace AS space ON space.oid = named.relnamespace
WHERE
    NOT facts.indisvalid
    AND named.relkind = 'i'
    AND space.nspname = %(schema)s
ORDER BY 2 DESC, 1;

-- name: pending_detaches
-- Partitions of the schema whose detach was interrupted: parent and partition.
SELECT
    format('%%I.%%I', parent_space.nspname, parent.relname),
    format('%%I.%%I', space.nspname, partition.relname)
FROM pg_inherits AS link
JOIN pg_class AS parent ON parent.oid = link.inhparent
JOIN pg_namespace AS parent_space ON parent_space.oid = parent.relnamespace
JOIN pg_class AS partition ON partition.oid = link.inhrelid
JOIN pg_namespace AS space ON space.oid = partition.relnamespace
WHERE link.inhdetachpending AND parent_space.nspname = %(schema)s
ORDER BY 2;

-- name: table_to_lose
-- Read how a table is called, and about how many rows it has; none when there is no such table.
SELECT c.oid::regclass::text, greatest(c.reltuples, 0)::bigint
FROM pg_class AS c
WHERE c.oid = to_regclass(%(table)s) AND c.relkind IN ('r', 'p');

-- name: rows_to_lose
-- Count the rows of a table, up to so many.
SELECT count(*)
FROM (SELECT FROM {table} LIMIT %(count_max)s) AS t;
