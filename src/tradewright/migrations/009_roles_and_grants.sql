-- 009: who may do what. Three roles, which nobody logs in as; whoever connects is made a member.
--
-- A role belongs to the whole server, so each broker has its own: they are called like the schema, or
-- like app.role_prefix where the database sets it, and then _app, _operator or _reader. A role that is
-- already there is used as it is. What a table gives to whom follows from its guards, so a new table
-- needs no line here; docs/reference/roles.md lists the outcome.

CREATE FUNCTION engine_role(p_name text) RETURNS text
LANGUAGE plpgsql STABLE SET search_path FROM CURRENT AS $$
BEGIN
    RETURN coalesce(nullif(current_setting('app.role_prefix', true), ''), current_schema()) || '_' || p_name;
END;
$$;
COMMENT ON FUNCTION engine_role(text) IS 'Name of this broker''s role app, operator or reader: app.role_prefix, or else the schema, is its first part.';

-- Makes the roles that are missing. Two databases of one server may do so at once.
DO $$
DECLARE
    v_name text;
BEGIN
    FOREACH v_name IN ARRAY ARRAY['app', 'operator', 'reader'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = engine_role(v_name)) THEN
            BEGIN
                EXECUTE format('CREATE ROLE %I NOLOGIN', engine_role(v_name));
            EXCEPTION WHEN duplicate_object OR unique_violation THEN
                RAISE NOTICE 'role "%" was made by another session', engine_role(v_name);
            END;
        END IF;
    END LOOP;
END;
$$;

-- What the database writes by itself, it writes with the rights of its owner: so no role needs, or
-- has, the right to write these records by hand. All of them pin their search path.
ALTER FUNCTION audit_row_change() SECURITY DEFINER;
ALTER FUNCTION announce_state() SECURITY DEFINER;
ALTER FUNCTION queue_for_wallet(uuid) SECURITY DEFINER;
ALTER FUNCTION seal_audit_log() SECURITY DEFINER;
ALTER FUNCTION seal_ledger(integer) SECURITY DEFINER;
ALTER FUNCTION seal_records(boolean) SECURITY DEFINER;
ALTER FUNCTION roll_up_exposures(boolean) SECURITY DEFINER;
ALTER FUNCTION roll_up_house_balances(boolean) SECURITY DEFINER;
ALTER FUNCTION premake_audit_log_partitions(integer) SECURITY DEFINER;
ALTER FUNCTION prune_records(integer) SECURITY DEFINER;
ALTER FUNCTION block_denied_accounts(uuid[]) SECURITY DEFINER;

-- Every table and view with what each role may do. An update is given where the table refuses none,
-- a deletion nowhere. Of two tables the application may write some columns only, because the others
-- are terms that a client must not get by way of it.
CREATE VIEW engine_rights AS
SELECT
    t.oid AS table_id,
    t.relname AS table_name,
    t.is_append_only,
    r.role_name,
    array_remove(
        ARRAY[
            'SELECT',
            CASE WHEN r.inserts THEN 'INSERT' || coalesce(r.insert_columns, '') END,
            CASE WHEN r.updates AND NOT t.is_append_only THEN 'UPDATE' || coalesce(r.update_columns, '') END
        ],
        NULL
    ) AS rights
FROM (
    SELECT
        c.oid,
        c.relname,
        c.relkind IN ('r', 'p') AS is_table,
        -- Bits of tgtype: 8 DELETE, 16 UPDATE, 32 TRUNCATE.
        EXISTS (
            SELECT
            FROM pg_trigger AS g
            JOIN pg_proc AS p ON p.oid = g.tgfoid
            WHERE g.tgrelid = c.oid AND p.proname = 'refuse_change' AND g.tgtype & 56 = 56
        ) AS is_append_only
    FROM pg_class AS c
    WHERE c.relnamespace = quote_ident(current_schema())::regnamespace
      AND NOT c.relispartition
      -- A month of the audit log that was detached stands alone, and is its owner's until it is dropped.
      AND c.relname !~ '^audit_log_[0-9]{4}_[0-9]{2}$'
      AND c.relkind IN ('r', 'p', 'v', 'm')
) AS t
CROSS JOIN LATERAL (
    SELECT
        -- Written by the database itself, by functions of its owner, or by migrations.
        t.is_table AND t.relname NOT IN (
            'audit_log', 'audit_seals', 'ledger_seals', 'ledger_seal_segments', 'record_seals', 'record_seal_segments',
            'house_balances', 'exposure_totals', 'outbox_events', 'wallet_queues',
            'payment_transitions', 'schema_migrations', 'view_refreshes',
            'audit_archives', 'audit_archive_segments', 'audit_archive_counts'
        ) AS is_written,
        -- Set up by people: what is traded, on what terms, who may approve.
        t.relname IN (
            'currencies', 'user_roles', 'api_keys', 'instruments', 'liquidity_providers', 'provider_connections', 'account_groups', 'payment_limits',
            'circuit_breakers', 'commission_terms', 'swap_terms', 'rollover_holidays', 'past_swap_freedoms', 'past_account_groups', 'risk_limits', 'routing_policies', 'routing_rules', 'routing_overrides', 'trading_halts', 'trading_sessions', 'margin_tiers', 'jobs', 'job_runs', 'law_checks', 'clock_samples',
            'reporting_views', 'audit_retention', 'audit_holds', 'backup_runs', 'backup_terms'
        ) AS is_set_up,
        -- The database makes its rows, and a service marks them as done.
        t.relname = 'outbox_events' AS is_marked,
        -- A client is retail and unverified, its account in the standard group and on the house's book,
        -- until an operator says otherwise; leverage is capped for its class whatever it asks for.
        CASE t.relname
            WHEN 'users' THEN ' (id, email)'
            WHEN 'accounts' THEN ' (id, user_id, currency, leverage)'
        END AS insert_columns,
        CASE t.relname WHEN 'accounts' THEN ' (balance, version, updated_at)' END AS update_columns
) AS w
CROSS JOIN LATERAL (
    VALUES
        -- A verification level is raised by an operator, though the application opens the user.
        (
            'app',
            w.is_written AND NOT w.is_set_up,
            w.insert_columns,
            w.is_marked OR (w.is_written AND NOT w.is_set_up AND t.relname <> 'users'),
            w.update_columns
        ),
        ('operator', w.is_written, NULL, w.is_written OR w.is_marked, NULL),
        ('reader', false, NULL, false, NULL)
) AS r (role_name, inserts, insert_columns, updates, update_columns);
COMMENT ON VIEW engine_rights IS 'What each role may do to each table and view, as grant_engine_rights gives it.';

-- Gives the roles what they may have, and takes from them and from everybody what they may not.
CREATE FUNCTION grant_engine_rights() RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    v_right record;
    v_roles text := format('%I, %I, %I', engine_role('app'), engine_role('operator'), engine_role('reader'));
BEGIN
    EXECUTE format('GRANT USAGE ON SCHEMA %I TO %s', current_schema(), v_roles);
    FOR v_right IN SELECT * FROM engine_rights ORDER BY table_name LOOP
        EXECUTE format('REVOKE ALL ON %I FROM %I', v_right.table_name, engine_role(v_right.role_name));
        EXECUTE format(
            'GRANT %s ON %I TO %I',
            array_to_string(v_right.rights, ', '), v_right.table_name, engine_role(v_right.role_name)
        );
    END LOOP;
    EXECUTE format('GRANT SELECT ON ALL SEQUENCES IN SCHEMA %I TO %s', current_schema(), v_roles);
    EXECUTE format('REVOKE ALL ON ALL FUNCTIONS IN SCHEMA %I FROM PUBLIC, %s', current_schema(), v_roles);
    FOR v_right IN
        SELECT
            p.oid::regprocedure AS signature,
            p.provolatile <> 'v' AS is_read,
            p.proname IN (
                'seal_audit_log', 'seal_ledger', 'seal_records', 'roll_up_exposures', 'roll_up_house_balances',
                'premake_audit_log_partitions', 'prune_records', 'prune_view_refreshes', 'refresh_reporting_view',
                'raise_overdue_views', 'tell_audit_months_ahead'
            ) AS is_operated
        FROM pg_proc AS p
        WHERE p.pronamespace = quote_ident(current_schema())::regnamespace
          AND p.prorettype <> 'trigger'::regtype
          AND p.proname NOT IN (
              'create_audit_log_partition', 'build_audit_month', 'attach_audit_month', 'attach_archived_month',
              'drop_archived_month', 'refuse_changed_month', 'seal_records_of', 'grant_engine_rights'
          )
        ORDER BY p.proname
    LOOP
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO %I', v_right.signature, engine_role('operator'));
        IF NOT v_right.is_operated THEN
            EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO %I', v_right.signature, engine_role('app'));
        END IF;
        IF v_right.is_read THEN
            EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO %I', v_right.signature, engine_role('reader'));
        END IF;
    END LOOP;
END;
$$;
COMMENT ON FUNCTION grant_engine_rights() IS 'Gives the roles app, operator and reader their rights on all tables and functions; again after a migration that adds some.';

SELECT grant_engine_rights();
