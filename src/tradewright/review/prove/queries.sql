-- What the proof asks the shadow about itself. Everything is asked as the migrations' own role.

-- name: roles
-- Every role of the server.
SELECT rolname FROM pg_roles;

-- name: terminate
-- End a session that ignored its time limit.
SELECT pg_terminate_backend(%(pid)s);

-- name: stored_tables
-- Every table and materialized view: id, name for people, the file it is stored in.
SELECT
    relation.oid,
    CASE space.nspname
        WHEN 'public' THEN relation.relname
        ELSE format('%%s.%%s', space.nspname, relation.relname)
    END,
    relation.relfilenode
FROM pg_class AS relation
JOIN pg_namespace AS space ON space.oid = relation.relnamespace
WHERE
    relation.relkind IN ('r', 'p', 'm')
    AND relation.relpersistence != 't'
    AND space.nspname NOT LIKE 'pg\_%%'
    AND space.nspname != 'information_schema';

-- name: locks_held
-- The relations that this session keeps everybody else from, in the strongest mode.
SELECT relation
FROM pg_locks
WHERE
    pid = pg_backend_pid()
    AND locktype = 'relation'
    AND mode = 'AccessExclusiveLock'
    AND granted;

-- name: foreign_keys
-- Every foreign key that was declared, not the copies that partitions inherit.
SELECT
    held.conname,
    space.nspname,
    owner.relname,
    ARRAY(
        SELECT columns.attname
        FROM unnest(held.conkey) WITH ORDINALITY AS key (number, position)
        JOIN pg_attribute AS columns
            ON columns.attrelid = held.conrelid AND columns.attnum = key.number
        ORDER BY key.position
    )::text[],
    parent_space.nspname,
    parent.relname,
    ARRAY(
        SELECT columns.attname
        FROM unnest(held.confkey) WITH ORDINALITY AS key (number, position)
        JOIN pg_attribute AS columns
            ON columns.attrelid = held.confrelid AND columns.attnum = key.number
        ORDER BY key.position
    )::text[],
    held.conenforced
FROM pg_constraint AS held
JOIN pg_class AS owner ON owner.oid = held.conrelid
JOIN pg_namespace AS space ON space.oid = owner.relnamespace
JOIN pg_class AS parent ON parent.oid = held.confrelid
JOIN pg_namespace AS parent_space ON parent_space.oid = parent.relnamespace
WHERE held.contype = 'f' AND held.conparentid = 0
ORDER BY space.nspname, owner.relname, held.conname;

-- name: other_constraints
-- The checks and the other foreign keys of a table that were declared on it.
SELECT held.conname
FROM pg_constraint AS held
WHERE
    held.conrelid = to_regclass(format('%%I.%%I', %(schema)s::text, %(table)s::text))
    AND held.contype IN ('c', 'f')
    AND held.conname != %(name)s
    AND held.conparentid = 0
    AND held.coninhcount = 0;

-- name: columns
-- The columns of a table with what a made-up value must respect.
SELECT
    columns.attname,
    format_type(columns.atttypid, columns.atttypmod),
    format_type(base.oid, NULL),
    base.typcategory::text,
    columns.attnotnull OR coalesce(own.typnotnull, false),
    columns.atthasdef OR columns.attidentity != '',
    columns.attgenerated != '' OR columns.attidentity = 'a',
    coalesce(
        (
            SELECT array_agg(labels.enumlabel::text ORDER BY labels.enumsortorder)
            FROM pg_enum AS labels
            WHERE labels.enumtypid = base.oid
        ),
        (
            SELECT array_agg(word.found[1] ORDER BY held.conname, word.position)
            FROM pg_constraint AS held
            CROSS JOIN regexp_matches(
                pg_get_constraintdef(held.oid), '''([^''^\[]{1,60})''::text', 'g'
            ) WITH ORDINALITY AS word (found, position)
            WHERE
                held.contype = 'c'
                AND (
                    (held.conrelid = columns.attrelid AND held.conkey = ARRAY[columns.attnum])
                    OR (held.contypid = own.oid AND own.typtype = 'd')
                )
                AND base.typcategory = 'S'
        )
    )
FROM pg_attribute AS columns
JOIN pg_type AS own ON own.oid = columns.atttypid
JOIN pg_type AS base ON base.oid = CASE own.typtype WHEN 'd' THEN own.typbasetype ELSE own.oid END
WHERE
    columns.attrelid = to_regclass(format('%%I.%%I', %(schema)s::text, %(table)s::text))
    AND columns.attnum > 0
    AND NOT columns.attisdropped
ORDER BY columns.attnum;

-- name: tables
-- Every table that somebody made, without partitions; what refers to nothing comes first.
SELECT space.nspname, relation.relname
FROM pg_class AS relation
JOIN pg_namespace AS space ON space.oid = relation.relnamespace
WHERE
    relation.relkind IN ('r', 'p')
    AND NOT relation.relispartition
    AND relation.relpersistence != 't'
    AND space.nspname NOT LIKE 'pg\_%%'
    AND space.nspname != 'information_schema'
ORDER BY space.nspname, relation.relname;

-- name: digest
-- How many rows a table has, and a digest of them in which neither rows nor columns have an order.
SELECT count(*), coalesce(md5(string_agg(row.digest, '' ORDER BY row.digest)), '')
FROM (SELECT md5(to_jsonb(kept)::text) AS digest FROM {table} AS kept) AS row;

-- name: columns_of_check
-- The columns that a check of a table looks at.
SELECT columns.attname
FROM pg_constraint AS held
JOIN pg_attribute AS columns
    ON columns.attrelid = held.conrelid AND columns.attnum = ANY(held.conkey)
WHERE
    held.conrelid = to_regclass(format('%%I.%%I', %(schema)s::text, %(table)s::text))
    AND held.conname = %(name)s;

-- name: triggers
-- The triggers of a table that somebody made, and in which mode each is.
SELECT tgname, tgenabled::text
FROM pg_trigger
WHERE
    tgrelid = to_regclass(format('%%I.%%I', %(schema)s::text, %(table)s::text))
    AND NOT tgisinternal
    AND tgparentid = 0;

-- name: fired_triggers
-- Every trigger of a table that somebody made: schema, table, name, and its bits (see pg_trigger).
SELECT space.nspname, owner.relname, fired.tgname, fired.tgtype::integer
FROM pg_trigger AS fired
JOIN pg_class AS owner ON owner.oid = fired.tgrelid
JOIN pg_namespace AS space ON space.oid = owner.relnamespace
WHERE
    NOT fired.tgisinternal
    AND fired.tgparentid = 0
    AND fired.tgenabled != 'D'
    AND owner.relkind IN ('r', 'p')
    AND NOT owner.relispartition
ORDER BY space.nspname, owner.relname, fired.tgname;

-- name: search
-- Search names in these schemas, and last in the session's own.
SELECT
    set_config(
        'search_path', string_agg(quote_ident(name), ', ' ORDER BY place) || ', pg_temp', false
    )
FROM unnest(%(schemas)s::text[]) WITH ORDINALITY AS listed (name, place);

-- name: search_everywhere
-- Search names in one schema first, then in all that are not the system's, until the transaction ends.
SELECT set_config('search_path', string_agg(quote_ident(nspname), ', ' ORDER BY place), true)
FROM (
    SELECT
        nspname,
        (nspname != %(schema)s, nspname != 'public', nspname) AS place
    FROM pg_namespace
    WHERE nspname NOT LIKE 'pg\_%%' AND nspname != 'information_schema'
) AS listed;

-- name: look_again
-- Lock something new, so that the server hears what other sessions have made; it is rolled back.
CREATE TEMPORARY TABLE tradewright_look_again ();

-- name: is_partitioned
-- Whether a table is partitioned: a row that no partition takes is refused as a CHECK would refuse it.
SELECT relkind = 'p'
FROM pg_class
WHERE oid = to_regclass(format('%%I.%%I', %(schema)s::text, %(table)s::text));

-- fragment: members
-- Every row of the catalogs that has an id: what it belongs to, that one's schema, the row's age.
SELECT
    relation.oid,
    coalesce(index.indrelid, relation.oid) AS home,
    CASE WHEN index.indrelid IS NULL THEN relation.relnamespace END AS space,
    least(age(relation.xmin), age(index.xmin)) AS age
FROM pg_class AS relation
LEFT JOIN pg_index AS index ON index.indexrelid = relation.oid
WHERE relation.oid >= 16384
UNION ALL
SELECT oid, coalesce(nullif(conrelid, 0), contypid), NULL, age(xmin)
FROM pg_constraint
WHERE oid >= 16384
UNION ALL
SELECT oid, tgrelid, NULL, age(xmin)
FROM pg_trigger
WHERE NOT tgisinternal
UNION ALL
SELECT oid, ev_class, NULL, age(xmin)
FROM pg_rewrite
WHERE oid >= 16384
UNION ALL
SELECT oid, adrelid, NULL, age(xmin)
FROM pg_attrdef
UNION ALL
SELECT oid, polrelid, NULL, age(xmin)
FROM pg_policy
UNION ALL
SELECT
    type.oid,
    coalesce(nullif(type.typrelid, 0), nullif(element.typrelid, 0), element.oid, type.oid),
    CASE WHEN type.typrelid = 0 AND element.oid IS NULL THEN type.typnamespace END,
    age(type.xmin)
FROM pg_type AS type
LEFT JOIN pg_type AS element ON element.typarray = type.oid
WHERE type.oid >= 16384
UNION ALL
SELECT oid, oid, pronamespace, age(xmin)
FROM pg_proc
WHERE oid >= 16384
UNION ALL
SELECT oid, oid, stxnamespace, age(xmin)
FROM pg_statistic_ext
UNION ALL
SELECT oid, oid, oid, age(xmin)
FROM pg_namespace
UNION ALL
SELECT oid, oid, defaclnamespace, age(xmin)
FROM pg_default_acl
UNION ALL
SELECT
    oid,
    oid,
    (
        SELECT max(oid)
        FROM pg_namespace
        WHERE nspname NOT LIKE 'pg\_%%' AND nspname != 'information_schema'
    ),
    age(xmin)
FROM pg_extension

-- name: written
-- Of everything that stands by itself: its schema, who wrote it last, and its number of rows.
WITH members AS MATERIALIZED (
    -- use: members
),
rows AS (
    SELECT home, space, age
    FROM members
    UNION ALL
    SELECT members.home, NULL, age(attribute.xmin)
    FROM pg_attribute AS attribute
    JOIN members ON members.oid = attribute.attrelid
    WHERE attribute.attnum > 0
    UNION ALL
    SELECT members.home, NULL, age(link.xmin)
    FROM pg_inherits AS link
    JOIN members ON members.oid = link.inhrelid
    UNION ALL
    SELECT members.home, NULL, age(description.xmin)
    FROM pg_description AS description
    JOIN members ON members.oid = description.objoid
    UNION ALL
    SELECT enumtypid, NULL, age(xmin)
    FROM pg_enum
    UNION ALL
    SELECT seqrelid, NULL, age(xmin)
    FROM pg_sequence
    UNION ALL
    SELECT aggfnoid, NULL, age(xmin)
    FROM pg_aggregate
)
SELECT known.home, space.nspname, known.last, known.number
FROM (
    SELECT home, max(space) AS space, age('3'::xid) - min(age) AS last, count(*) AS number
    FROM rows
    GROUP BY home
) AS known
JOIN pg_namespace AS space ON space.oid = known.space
WHERE space.nspname NOT LIKE 'pg\_%%' AND space.nspname != 'information_schema';

-- name: dependants
-- What depends on things or on any part of them: its text may change when theirs does.
WITH members AS MATERIALIZED (
    -- use: members
)
SELECT DISTINCT own.home
FROM pg_depend AS link
JOIN members AS other ON other.oid = link.refobjid
JOIN members AS own ON own.oid = link.objid
WHERE other.home = ANY(%(homes)s::oid[]);

-- name: surroundings
-- A digest of all that is no part of a schema and yet named in its text: roles, extensions, ...
SELECT md5(string_agg(said, ',' ORDER BY said))
FROM (
    SELECT format('role %%s %%s', oid, rolname) AS said
    FROM pg_roles
    UNION ALL
    SELECT format('schema %%s %%s', oid, nspname)
    FROM pg_namespace
    UNION ALL
    SELECT format('extension %%s %%s %%s', oid, extversion, xmin)
    FROM pg_extension
    UNION ALL
    SELECT format('members %%s', count(*))
    FROM pg_depend
    WHERE deptype = 'e'
    UNION ALL
    SELECT format('collation %%s %%s', oid, xmin)
    FROM pg_collation
    WHERE oid >= 16384
    UNION ALL
    SELECT format('operator %%s %%s', oid, xmin)
    FROM pg_operator
    WHERE oid >= 16384
    UNION ALL
    SELECT format('operator class %%s %%s', oid, xmin)
    FROM pg_opclass
    WHERE oid >= 16384
    UNION ALL
    SELECT format('cast %%s %%s', oid, xmin)
    FROM pg_cast
    WHERE oid >= 16384
    UNION ALL
    SELECT format('text search %%s %%s', oid, xmin)
    FROM pg_ts_config
    WHERE oid >= 16384
    UNION ALL
    SELECT format('language %%s %%s', oid, xmin)
    FROM pg_language
    WHERE oid >= 16384
) AS surrounding;
