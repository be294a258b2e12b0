-- Takes the rights away, and the roles where nothing else needs them: no database, no member.

DO $$
DECLARE
    v_name text;
BEGIN
    FOREACH v_name IN ARRAY ARRAY[engine_role('app'), engine_role('operator'), engine_role('reader')] LOOP
        CONTINUE WHEN NOT EXISTS (SELECT FROM pg_roles WHERE rolname = v_name);
        EXECUTE format('REVOKE ALL ON ALL TABLES IN SCHEMA %I FROM %I', current_schema(), v_name);
        EXECUTE format('REVOKE ALL ON ALL SEQUENCES IN SCHEMA %I FROM %I', current_schema(), v_name);
        EXECUTE format('REVOKE ALL ON ALL FUNCTIONS IN SCHEMA %I FROM %I', current_schema(), v_name);
        EXECUTE format('REVOKE ALL ON SCHEMA %I FROM %I', current_schema(), v_name);
        IF EXISTS (
            SELECT
            FROM pg_auth_members AS m
            WHERE m.roleid = quote_ident(v_name)::regrole AND m.member <> quote_ident(current_user)::regrole
        ) THEN
            RAISE NOTICE 'role "%" has members and stays', v_name;
        ELSE
            BEGIN
                EXECUTE format('DROP ROLE %I', v_name);
            EXCEPTION WHEN dependent_objects_still_exist OR insufficient_privilege THEN
                RAISE NOTICE 'role "%" is used elsewhere or was made by another, and stays', v_name;
            END;
        END IF;
    END LOOP;
    EXECUTE format('GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA %I TO PUBLIC', current_schema());
END;
$$;

DROP FUNCTION grant_engine_rights();
DROP VIEW engine_rights;
ALTER FUNCTION block_denied_accounts(uuid[]) SECURITY INVOKER;
ALTER FUNCTION prune_records(integer) SECURITY INVOKER;
ALTER FUNCTION premake_audit_log_partitions(integer) SECURITY INVOKER;
ALTER FUNCTION roll_up_house_balances(boolean) SECURITY INVOKER;
ALTER FUNCTION roll_up_exposures(boolean) SECURITY INVOKER;
ALTER FUNCTION seal_records(boolean) SECURITY INVOKER;
ALTER FUNCTION seal_ledger(integer) SECURITY INVOKER;
ALTER FUNCTION seal_audit_log() SECURITY INVOKER;
ALTER FUNCTION queue_for_wallet(uuid) SECURITY INVOKER;
ALTER FUNCTION announce_state() SECURITY INVOKER;
ALTER FUNCTION audit_row_change() SECURITY INVOKER;
DROP FUNCTION engine_role(text);
