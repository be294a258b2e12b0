-- What the tests ask the finished schema; partitions count with their parents.

-- name: id_columns
-- Columns that identify a row or refer to one by an id: table, column, type, whether it is the key.
SELECT
    relation.relname,
    columns.attname,
    format_type(columns.atttypid, NULL),
    columns.attname = 'id' AND coalesce(key.is_key, false)
FROM pg_class AS relation
JOIN pg_namespace AS space ON space.oid = relation.relnamespace
JOIN pg_attribute AS columns
    ON columns.attrelid = relation.oid AND columns.attnum > 0 AND NOT columns.attisdropped
LEFT JOIN LATERAL (
    SELECT
        bool_or(held.contype = 'p') AS is_key,
        bool_or(held.contype = 'f') AS is_reference
    FROM pg_constraint AS held
    WHERE held.conrelid = relation.oid AND columns.attnum = ANY(held.conkey)
) AS key ON true
WHERE
    relation.relkind IN ('r', 'p')
    AND NOT relation.relispartition
    AND space.nspname NOT LIKE 'pg\_%%'
    AND space.nspname != 'information_schema'
    AND (
        (columns.attname = 'id' AND key.is_key)
        OR (columns.attname LIKE '%%\_id' AND (key.is_key OR key.is_reference))
        OR EXISTS (
            SELECT FROM pg_class AS owner
            WHERE
                owner.relkind IN ('r', 'p')
                AND owner.relnamespace = relation.relnamespace
                AND columns.attname = rtrim(owner.relname, 's') || '_id'
        )
    )
ORDER BY relation.relname, columns.attnum;

-- name: time_columns
-- Columns of the four types that hold an instant or a time of day.
SELECT relation.relname, columns.attname, format_type(columns.atttypid, NULL)
FROM pg_class AS relation
JOIN pg_namespace AS space ON space.oid = relation.relnamespace
JOIN pg_attribute AS columns
    ON columns.attrelid = relation.oid AND columns.attnum > 0 AND NOT columns.attisdropped
WHERE
    relation.relkind IN ('r', 'p', 'm')
    AND NOT relation.relispartition
    AND space.nspname NOT LIKE 'pg\_%%'
    AND space.nspname != 'information_schema'
    AND columns.atttypid IN (
        'timestamptz'::regtype, 'timestamp'::regtype, 'timetz'::regtype
    )
ORDER BY relation.relname, columns.attnum;

-- name: indexes
-- Every index and whether it serves: valid, ready and alive.
SELECT named.relname, facts.indisvalid AND facts.indisready AND facts.indislive
FROM pg_index AS facts
JOIN pg_class AS named ON named.oid = facts.indexrelid
JOIN pg_namespace AS space ON space.oid = named.relnamespace
WHERE space.nspname NOT LIKE 'pg\_%%' AND space.nspname != 'information_schema'
ORDER BY named.relname;

-- name: keys_and_their_index
-- Every enforced foreign key and whether a valid index begins with one of its columns.
SELECT
    held.conrelid::regclass || '.' || held.conname,
    EXISTS (
        SELECT FROM pg_index AS facts
        WHERE
            facts.indrelid = held.conrelid
            AND facts.indisvalid
            AND facts.indkey[0] = ANY(held.conkey)
            AND (
                facts.indpred IS NULL
                OR pg_get_expr(facts.indpred, facts.indrelid) LIKE '%% IS NOT NULL)'
            )
    )
FROM pg_constraint AS held
WHERE held.contype = 'f' AND held.conenforced AND held.conparentid = 0
ORDER BY 1;

-- name: functions
-- Functions and procedures that are no triggers.
SELECT routine.proname
FROM pg_proc AS routine
JOIN pg_namespace AS space ON space.oid = routine.pronamespace
WHERE
    space.nspname NOT LIKE 'pg\_%%'
    AND space.nspname != 'information_schema'
    AND routine.prorettype NOT IN ('trigger'::regtype, 'event_trigger'::regtype)
    AND NOT EXISTS (
        SELECT FROM pg_depend AS member
        WHERE member.objid = routine.oid AND member.deptype = 'e'
    );

-- name: sequences
-- Where every sequence stands.
SELECT schemaname || '.' || sequencename, last_value
FROM pg_sequences
ORDER BY 1;
