-- The catalog as comparable text. Each query gives (kind, name, lines) of the objects of one
-- schema; members of extensions are left to their extension. The session's search_path is empty
-- while they run, so that definitions come out fully qualified.

-- name: schemas
-- The schema itself.
SELECT
    'schema',
    quote_ident(space.nspname),
    ARRAY['owner: ' || pg_get_userbyid(space.nspowner)]
    || ARRAY(
        SELECT
            format(
                'grant: %%s to %%s',
                given.privilege_type,
                coalesce(nullif(given.grantee, space.nspowner)::regrole::text, 'owner')
            )
        FROM aclexplode(coalesce(space.nspacl, acldefault('n', space.nspowner))) AS given
        ORDER BY 1
    )
    || ARRAY(SELECT 'comment: ' || obj_description(space.oid, 'pg_namespace')),
    space.oid
FROM pg_namespace AS space
WHERE
    space.nspname = %(schema)s
    AND (%(only)s::oid[] IS NULL OR space.oid = ANY(%(only)s::oid[]));

-- name: extensions
-- Extensions of the whole database.
SELECT
    'extension',
    quote_ident(extension.extname),
    ARRAY[
        'version: ' || extension.extversion,
        'schema: ' || extension.extnamespace::regnamespace
    ],
    extension.oid
FROM pg_extension AS extension
WHERE (%(only)s::oid[] IS NULL OR extension.oid = ANY(%(only)s::oid[]));

-- name: relations
-- Tables, partitions, views, materialized views, sequences and foreign tables.
SELECT
    CASE relation.relkind
        WHEN 'r' THEN 'table'
        WHEN 'p' THEN 'partitioned table'
        WHEN 'v' THEN 'view'
        WHEN 'm' THEN 'materialized view'
        WHEN 'S' THEN 'sequence'
        WHEN 'f' THEN 'foreign table'
    END,
    quote_ident(relation.relname),
    ARRAY[
        'owner: ' || pg_get_userbyid(relation.relowner),
        'persistence: ' || nullif(relation.relpersistence::text, 'p'),
        'access method: ' || nullif(method.amname, 'heap'),
        'tablespace: ' || tablespace.spcname,
        'partition by: ' || pg_get_partkeydef(relation.oid),
        'bound: ' || pg_get_expr(relation.relpartbound, relation.oid),
        'options: ' || array_to_string(relation.reloptions, ', '),
        'row security: ' || nullif(relation.relrowsecurity, false)::text,
        'row security for owner: ' || nullif(relation.relforcerowsecurity, false)::text,
        'replica identity: ' || nullif(relation.relreplident::text, 'd'),
        'comment: ' || obj_description(relation.oid, 'pg_class')
    ]
    || ARRAY(
        SELECT
            'inherits: ' || link.inhparent::regclass
            || CASE WHEN link.inhdetachpending THEN ' (detach pending)' ELSE '' END
        FROM pg_inherits AS link
        WHERE link.inhrelid = relation.oid
        ORDER BY link.inhseqno
    )
    || ARRAY(
        SELECT
            format(
                'grant: %%s to %%s',
                given.privilege_type,
                coalesce(nullif(given.grantee, relation.relowner)::regrole::text, 'owner')
            )
        FROM
            aclexplode(
                coalesce(
                    relation.relacl,
                    acldefault(
                        (CASE relation.relkind WHEN 'S' THEN 's' ELSE 'r' END)::"char",
                        relation.relowner
                    )
                )
            ) AS given
        ORDER BY 1
    )
    || CASE
        WHEN relation.relkind IN ('v', 'm')
            THEN string_to_array(pg_get_viewdef(relation.oid), E'\n')
        WHEN relation.relkind = 'S'
            THEN (
                SELECT
                    ARRAY[
                        format(
                            'as %%s start %%s increment %%s from %%s to %%s cache %%s%%s',
                            sequence.seqtypid::regtype,
                            sequence.seqstart,
                            sequence.seqincrement,
                            sequence.seqmin,
                            sequence.seqmax,
                            sequence.seqcache,
                            CASE WHEN sequence.seqcycle THEN ' cycle' ELSE '' END
                        )
                    ]
                FROM pg_sequence AS sequence
                WHERE sequence.seqrelid = relation.oid
            )
    END,
    relation.oid
FROM pg_class AS relation
LEFT JOIN pg_am AS method ON method.oid = relation.relam
LEFT JOIN pg_tablespace AS tablespace ON tablespace.oid = relation.reltablespace
WHERE
    relation.relnamespace = to_regnamespace(%(quoted_schema)s)
    AND relation.relname != ALL(%(skip)s::text[])
    AND relation.relkind IN ('r', 'p', 'v', 'm', 'S', 'f')
    AND NOT EXISTS (
        SELECT FROM pg_depend AS member
        WHERE member.objid = relation.oid AND member.deptype = 'e'
    )
    AND (%(only)s::oid[] IS NULL OR relation.oid = ANY(%(only)s::oid[]));

-- name: columns
-- Columns of tables and views; the position counts only columns that still exist.
SELECT
    'column',
    format('%%I.%%I', relation.relname, attribute.attname),
    ARRAY[
        'position: '
        || row_number() OVER (PARTITION BY relation.oid ORDER BY attribute.attnum),
        'type: ' || format_type(attribute.atttypid, attribute.atttypmod),
        'collation: ' || nullif(attribute.attcollation, type.typcollation)::regcollation,
        'not null: ' || nullif(attribute.attnotnull, false)::text,
        'identity: ' || nullif(attribute.attidentity::text, ''),
        CASE attribute.attgenerated WHEN '' THEN 'default: ' ELSE 'generated: ' END
        || pg_get_expr(value.adbin, value.adrelid),
        'generated kind: ' || nullif(attribute.attgenerated::text, ''),
        'storage: ' || nullif(attribute.attstorage, type.typstorage)::text,
        'compression: ' || nullif(attribute.attcompression::text, ''),
        'statistics: ' || attribute.attstattarget,
        'options: ' || array_to_string(attribute.attoptions, ', '),
        'inherited: ' || nullif(attribute.attinhcount, 0::smallint)::text,
        'comment: ' || col_description(relation.oid, attribute.attnum)
    ]
    || ARRAY(
        SELECT format('grant: %%s to %%s', given.privilege_type, given.grantee::regrole)
        FROM aclexplode(attribute.attacl) AS given
        ORDER BY 1
    ),
    relation.oid
FROM pg_class AS relation
JOIN pg_attribute AS attribute ON attribute.attrelid = relation.oid
JOIN pg_type AS type ON type.oid = attribute.atttypid
LEFT JOIN pg_attrdef AS value
    ON value.adrelid = relation.oid AND value.adnum = attribute.attnum
WHERE
    relation.relnamespace = to_regnamespace(%(quoted_schema)s)
    AND relation.relname != ALL(%(skip)s::text[])
    AND relation.relkind IN ('r', 'p', 'v', 'm', 'f', 'c')
    AND attribute.attnum > 0
    AND NOT attribute.attisdropped
    AND NOT EXISTS (
        SELECT FROM pg_depend AS member
        WHERE member.objid = relation.oid AND member.deptype = 'e'
    )
    AND (%(only)s::oid[] IS NULL OR relation.oid = ANY(%(only)s::oid[]));

-- name: constraints
-- Constraints of tables and domains.
SELECT
    'constraint',
    coalesce(
        quote_ident(relation.relname),
        (SELECT quote_ident(typname) FROM pg_type WHERE oid = held.contypid)
    ) || '.' || quote_ident(held.conname),
    ARRAY[
        pg_get_constraintdef(held.oid, true),
        'valid: ' || nullif(held.convalidated, true)::text,
        'enforced: ' || nullif(held.conenforced, true)::text,
        'inherited: ' || nullif(held.coninhcount, 0::smallint)::text,
        'comment: ' || obj_description(held.oid, 'pg_constraint')
    ],
    coalesce(relation.oid, held.contypid)
FROM pg_constraint AS held
LEFT JOIN pg_class AS relation ON relation.oid = held.conrelid
WHERE
    held.connamespace = to_regnamespace(%(quoted_schema)s)
    AND held.contype != 't'
    AND coalesce(relation.relname, '') != ALL(%(skip)s::text[])
    AND (%(only)s::oid[] IS NULL OR coalesce(relation.oid, held.contypid) = ANY(%(only)s::oid[]));

-- name: indexes
-- Indexes, with what makes them unusable.
SELECT
    'index',
    quote_ident(index.relname),
    ARRAY[
        pg_get_indexdef(facts.indexrelid),
        'valid: ' || nullif(facts.indisvalid, true)::text,
        'clustered: ' || nullif(facts.indisclustered, false)::text,
        'replica identity: ' || nullif(facts.indisreplident, false)::text,
        'tablespace: ' || tablespace.spcname,
        'comment: ' || obj_description(facts.indexrelid, 'pg_class')
    ]
    || ARRAY(
        SELECT format('statistics of column %%s: %%s', attribute.attnum, attribute.attstattarget)
        FROM pg_attribute AS attribute
        WHERE attribute.attrelid = facts.indexrelid AND attribute.attstattarget IS NOT NULL
        ORDER BY attribute.attnum
    )
    || ARRAY(
        SELECT 'attached to: ' || link.inhparent::regclass
        FROM pg_inherits AS link
        WHERE link.inhrelid = facts.indexrelid
    ),
    facts.indrelid
FROM pg_index AS facts
JOIN pg_class AS index ON index.oid = facts.indexrelid
JOIN pg_class AS relation ON relation.oid = facts.indrelid
LEFT JOIN pg_tablespace AS tablespace ON tablespace.oid = index.reltablespace
WHERE
    index.relnamespace = to_regnamespace(%(quoted_schema)s)
    AND relation.relname != ALL(%(skip)s::text[])
    AND (%(only)s::oid[] IS NULL OR facts.indrelid = ANY(%(only)s::oid[]));

-- name: functions
-- Functions, procedures and aggregates.
SELECT
    CASE routine.prokind
        WHEN 'p' THEN 'procedure' WHEN 'a' THEN 'aggregate' ELSE 'function'
    END,
    format('%%I(%%s)', routine.proname, pg_get_function_identity_arguments(routine.oid)),
    ARRAY[
        'owner: ' || pg_get_userbyid(routine.proowner),
        'comment: ' || obj_description(routine.oid, 'pg_proc')
    ]
    || ARRAY(
        SELECT
            format(
                'grant: %%s to %%s',
                given.privilege_type,
                coalesce(nullif(given.grantee, routine.proowner)::regrole::text, 'owner')
            )
        FROM aclexplode(coalesce(routine.proacl, acldefault('f', routine.proowner))) AS given
        ORDER BY 1
    )
    || CASE routine.prokind
        WHEN 'a' THEN (
            SELECT
                ARRAY[
                    'result: ' || pg_get_function_result(routine.oid),
                    'step: ' || aggregate.aggtransfn::regprocedure,
                    'state: ' || aggregate.aggtranstype::regtype,
                    'final: ' || nullif(aggregate.aggfinalfn::text, '-'),
                    'initial: ' || aggregate.agginitval
                ]
            FROM pg_aggregate AS aggregate
            WHERE aggregate.aggfnoid = routine.oid
        )
        ELSE string_to_array(
            regexp_replace(
                pg_get_functiondef(
                    CASE routine.prokind WHEN 'a' THEN NULL ELSE routine.oid END
                ),
                E'\n$',
                ''
            ),
            E'\n'
        )
    END,
    routine.oid
FROM pg_proc AS routine
WHERE
    routine.pronamespace = to_regnamespace(%(quoted_schema)s)
    AND NOT EXISTS (
        SELECT FROM pg_depend AS member
        WHERE member.objid = routine.oid AND member.deptype = 'e'
    )
    AND (%(only)s::oid[] IS NULL OR routine.oid = ANY(%(only)s::oid[]));

-- name: triggers
-- Triggers that a migration made, with whether they fire.
SELECT
    'trigger',
    format('%%I.%%I', relation.relname, fired.tgname),
    ARRAY[
        pg_get_triggerdef(fired.oid),
        'enabled: ' || nullif(fired.tgenabled::text, 'O'),
        'cloned from: ' || parent.tgrelid::regclass,
        'comment: ' || obj_description(fired.oid, 'pg_trigger')
    ],
    relation.oid
FROM pg_trigger AS fired
JOIN pg_class AS relation ON relation.oid = fired.tgrelid
LEFT JOIN pg_trigger AS parent ON parent.oid = fired.tgparentid
WHERE
    relation.relnamespace = to_regnamespace(%(quoted_schema)s)
    AND relation.relname != ALL(%(skip)s::text[])
    AND NOT fired.tgisinternal
    AND (%(only)s::oid[] IS NULL OR relation.oid = ANY(%(only)s::oid[]));

-- name: rules
-- Rewrite rules other than those that make a view.
SELECT
    'rule',
    format('%%I.%%I', relation.relname, rule.rulename),
    string_to_array(pg_get_ruledef(rule.oid), E'\n') || ('enabled: ' || rule.ev_enabled::text),
    relation.oid
FROM pg_rewrite AS rule
JOIN pg_class AS relation ON relation.oid = rule.ev_class
WHERE
    relation.relnamespace = to_regnamespace(%(quoted_schema)s)
    AND relation.relname != ALL(%(skip)s::text[])
    AND rule.rulename != '_RETURN'
    AND (%(only)s::oid[] IS NULL OR relation.oid = ANY(%(only)s::oid[]));

-- name: policies
-- Policies of row-level security.
SELECT
    'policy',
    format('%%I.%%I', relation.relname, policy.polname),
    ARRAY[
        'permissive: ' || policy.polpermissive::text,
        'command: ' || policy.polcmd::text,
        'using: ' || pg_get_expr(policy.polqual, policy.polrelid),
        'with check: ' || pg_get_expr(policy.polwithcheck, policy.polrelid)
    ]
    || ARRAY(
        SELECT
            'role: ' || role::regrole
        FROM unnest(policy.polroles) AS role
        ORDER BY 1
    ),
    relation.oid
FROM pg_policy AS policy
JOIN pg_class AS relation ON relation.oid = policy.polrelid
WHERE
    relation.relnamespace = to_regnamespace(%(quoted_schema)s)
    AND relation.relname != ALL(%(skip)s::text[])
    AND (%(only)s::oid[] IS NULL OR relation.oid = ANY(%(only)s::oid[]));

-- name: types
-- Enums, domains, ranges and composite types; the columns of the last are listed as columns.
SELECT
    CASE type.typtype
        WHEN 'e' THEN 'enum' WHEN 'd' THEN 'domain' WHEN 'r' THEN 'range' ELSE 'composite type'
    END,
    quote_ident(type.typname),
    ARRAY[
        'owner: ' || pg_get_userbyid(type.typowner),
        'base: '
        || CASE type.typtype WHEN 'd' THEN format_type(type.typbasetype, type.typtypmod) END,
        'default: ' || type.typdefault,
        'not null: ' || nullif(type.typnotnull, false)::text,
        'collation: ' || CASE type.typtype WHEN 'd' THEN type.typcollation::regcollation END,
        'comment: ' || obj_description(type.oid, 'pg_type')
    ]
    || ARRAY(
        SELECT 'label: ' || label.enumlabel
        FROM pg_enum AS label
        WHERE label.enumtypid = type.oid
        ORDER BY label.enumsortorder
    )
    || ARRAY(
        SELECT 'subtype: ' || span.rngsubtype::regtype
        FROM pg_range AS span
        WHERE span.rngtypid = type.oid
    ),
    coalesce(relation.oid, type.oid)
FROM pg_type AS type
LEFT JOIN pg_class AS relation ON relation.oid = type.typrelid
WHERE
    type.typnamespace = to_regnamespace(%(quoted_schema)s)
    AND (type.typtype IN ('e', 'd', 'r') OR (type.typtype = 'c' AND relation.relkind = 'c'))
    AND NOT EXISTS (
        SELECT FROM pg_depend AS member
        WHERE member.objid = type.oid AND member.deptype = 'e'
    )
    AND (%(only)s::oid[] IS NULL OR coalesce(relation.oid, type.oid) = ANY(%(only)s::oid[]));

-- name: statistics
-- Extended statistics.
SELECT
    'statistics',
    quote_ident(gathered.stxname),
    ARRAY[
        pg_get_statisticsobjdef(gathered.oid),
        'target: ' || gathered.stxstattarget,
        'comment: ' || obj_description(gathered.oid, 'pg_statistic_ext')
    ],
    gathered.oid
FROM pg_statistic_ext AS gathered
WHERE
    gathered.stxnamespace = to_regnamespace(%(quoted_schema)s)
    AND (%(only)s::oid[] IS NULL OR gathered.oid = ANY(%(only)s::oid[]));

-- name: default_grants
-- What objects made later in the schema will grant.
SELECT
    'default grants',
    format('%%s by %%s', preset.defaclobjtype, preset.defaclrole::regrole),
    ARRAY(
        SELECT format('grant: %%s to %%s', given.privilege_type, given.grantee::regrole)
        FROM aclexplode(preset.defaclacl) AS given
        ORDER BY 1
    ),
    preset.oid
FROM pg_default_acl AS preset
WHERE
    preset.defaclnamespace = to_regnamespace(%(quoted_schema)s)
    AND (%(only)s::oid[] IS NULL OR preset.oid = ANY(%(only)s::oid[]));

-- name: empty_search_path
-- Let definitions come out fully qualified until the transaction ends.
SELECT set_config('search_path', '', true);
