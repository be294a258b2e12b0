-- name: apply_session_settings
-- Set many settings of this session in one round trip; a PgBouncer passes this, unlike options.
SELECT set_config(setting.name, setting.value, false)
FROM unnest(%(names)s::text[], %(values)s::text[]) AS setting (name, value);

-- name: take_session_lock
-- Take a number in the class of a session lock, for as long as the session lasts.
SELECT pg_try_advisory_lock(
    hashtext(coalesce(%(schema)s::text, current_schema()) || '/' || %(name)s::text), %(number)s::integer
);

-- name: give_session_lock_back
-- Give a number of a session lock back.
SELECT pg_advisory_unlock(
    hashtext(coalesce(%(schema)s::text, current_schema()) || '/' || %(name)s::text), %(number)s::integer
);

-- name: session_lock_holders
-- Find the other sessions that have a session lock and whose role may write what it is about.
SELECT
    a.pid,
    a.application_name,
    a.usename,
    coalesce(a.client_addr::text, 'local')
FROM (SELECT coalesce(%(schema)s::text, current_schema()) AS name) AS s
CROSS JOIN LATERAL (
    SELECT
        to_regnamespace(quote_ident(s.name)) AS schema_id,
        to_regclass(format('%%I.%%I', s.name, %(table)s::text)) AS table_id,
        hashtext(s.name || '/' || %(name)s::text)::bigint & 4294967295 AS class
) AS c
JOIN pg_locks AS l
    ON l.locktype = 'advisory' AND l.granted AND l.objsubid = 2 AND l.classid::bigint = c.class
JOIN pg_stat_activity AS a ON a.pid = l.pid AND a.datid = l.database AND a.datname = current_database()
WHERE a.pid <> pg_backend_pid()
  -- Anybody may take an advisory lock: one counts if its holder may write, as itself or as a role that
  -- it may become.
  AND EXISTS (
      SELECT FROM pg_roles AS r
      WHERE (r.oid = a.usesysid OR pg_has_role(a.usesysid, r.oid, 'SET'))
        AND CASE
            WHEN c.table_id IS NOT NULL THEN has_table_privilege(r.oid, c.table_id, 'INSERT')
            WHEN c.schema_id IS NOT NULL THEN has_schema_privilege(r.oid, c.schema_id, 'CREATE')
            ELSE has_database_privilege(r.oid, a.datid, 'CREATE')
        END
  )
ORDER BY a.pid;
