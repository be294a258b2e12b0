-- 003: who changed what, when: the record that clients, auditors and courts read.
--
-- Three kinds of record, none written twice. (1) Orders, positions and balances change together
-- with an append-only row (order_events, trades, balance_ledger) that says all of the change;
-- guards refuse the change without it. (2) Rows that are only ever inserted are their own record.
-- (3) Everything else that may be changed is copied by trigger into audit_log. Rows of audit_log
-- are sealed in segments, so that an edit behind the triggers' back is found later.

CREATE TABLE audit_log (
    id uuid DEFAULT uuidv7()
        CONSTRAINT audit_log_id_present NOT NULL,
    seq bigint GENERATED ALWAYS AS IDENTITY
        CONSTRAINT audit_log_seq_present NOT NULL,
    txid bigint DEFAULT txid_current()
        CONSTRAINT audit_log_txid_present NOT NULL,
    created_at timestamptz DEFAULT clock_timestamp()
        CONSTRAINT audit_log_created_at_present NOT NULL,
    actor text
        CONSTRAINT audit_log_actor_present NOT NULL,
    database_role text DEFAULT session_user
        CONSTRAINT audit_log_database_role_present NOT NULL,
    table_name text
        CONSTRAINT audit_log_table_name_present NOT NULL,
    row_id uuid
        CONSTRAINT audit_log_row_id_present NOT NULL,
    action text
        CONSTRAINT audit_log_action_present NOT NULL
        CONSTRAINT audit_log_action_known CHECK (action IN ('insert', 'update', 'delete')),
    changes jsonb
        CONSTRAINT audit_log_changes_present NOT NULL,
    reason text,
    CONSTRAINT audit_log_pkey PRIMARY KEY (id, created_at)
) PARTITION BY RANGE (created_at);
COMMENT ON TABLE audit_log IS 'Every change of an audited row, one month a partition; append-only.';
COMMENT ON COLUMN audit_log.txid IS 'Transaction that made the change; segments are sealed by it, because numbers are given before transactions commit.';
COMMENT ON COLUMN audit_log.actor IS 'Who acted, as claimed by the client in app.actor; database_role is what the server knows.';
COMMENT ON COLUMN audit_log.reason IS 'Why, as claimed by the client in app.reason; empty where nobody was asked for a reason.';
COMMENT ON COLUMN audit_log.changes IS 'The whole row for insert and delete; for update each changed column with its old and new value.';

CREATE INDEX idx_audit_log_row_id_created_at
    ON audit_log (row_id, created_at);
CREATE INDEX idx_audit_log_table_name_created_at
    ON audit_log (table_name, created_at);
CREATE INDEX idx_audit_log_txid_seq
    ON audit_log (txid, seq);

-- Who changed a row last and why, since a time that keeps the search to few months; none if that
-- month is archived.
CREATE FUNCTION last_change_of(p_row_id uuid, p_since timestamptz, OUT actor text, OUT reason text)
RETURNS SETOF record
LANGUAGE sql STABLE ROWS 1 SET search_path FROM CURRENT AS $$
    SELECT a.actor, a.reason
    FROM audit_log AS a
    WHERE a.row_id = p_row_id AND a.created_at >= p_since
    ORDER BY a.created_at DESC
    LIMIT 1
$$;
COMMENT ON FUNCTION last_change_of(uuid, timestamptz) IS 'Who changed an audited row last and why, if that was since a time; no row when that month is archived.';

-- What the partition of a month (UTC) is called, attached or not.
CREATE FUNCTION audit_month_table(p_month date) RETURNS text
LANGUAGE sql STABLE AS $$
    SELECT 'audit_log_' || to_char(p_month, 'YYYY_MM')
$$;
COMMENT ON FUNCTION audit_month_table(date) IS 'Name of the table that holds the audit rows of a month.';

-- Builds the table of a month aside, empty, checked and guarded, with the owner of all others.
CREATE FUNCTION build_audit_month(p_month date) RETURNS text
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    v_name text := audit_month_table(p_month);
BEGIN
    EXECUTE format(
        'CREATE TABLE %I (LIKE audit_log INCLUDING ALL EXCLUDING IDENTITY, CONSTRAINT %I CHECK (created_at >= %L AND created_at < %L))',
        v_name,
        v_name || '_within_month',
        to_char(p_month, 'YYYY-MM-DD') || ' 00:00:00+00',
        to_char(p_month + interval '1 month', 'YYYY-MM-DD') || ' 00:00:00+00'
    );
    EXECUTE format('COMMENT ON TABLE %I IS %L', v_name, 'Changes of ' || to_char(p_month, 'YYYY-MM') || ' (UTC).');
    EXECUTE format(
        'CREATE TRIGGER %I BEFORE UPDATE OR DELETE OR TRUNCATE ON %I FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()',
        v_name || '_is_append_only', v_name
    );
    EXECUTE format(
        'ALTER TABLE %I OWNER TO %I',
        v_name, (SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = 'audit_log'::regclass)
    );
    RETURN v_name;
END;
$$;
COMMENT ON FUNCTION build_audit_month(date) IS 'Builds the table of a month aside, ready to be filled and attached; returns its name.';

-- Attaches the table of a month: its CHECK says what the bounds say, so no row is read.
CREATE FUNCTION attach_audit_month(p_month date) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    EXECUTE format(
        'ALTER TABLE audit_log ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
        audit_month_table(p_month),
        to_char(p_month, 'YYYY-MM-DD') || ' 00:00:00+00',
        to_char(p_month + interval '1 month', 'YYYY-MM-DD') || ' 00:00:00+00'
    );
END;
$$;
COMMENT ON FUNCTION attach_audit_month(date) IS 'Attaches the table of a month to audit_log.';

-- Makes the partition of the month that holds the given day (UTC), unless its table is there. The table
-- is built and checked aside and then attached, because ATTACH lets writers go on, while CREATE
-- TABLE ... PARTITION OF would take ACCESS EXCLUSIVE on the parent. One at a time: the lock is the one that
-- ATTACH needs anyway, taken first; whoever writes goes on, and whoever may only read cannot take it.
CREATE FUNCTION create_audit_log_partition(p_day date) RETURNS text
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    v_month date := date_trunc('month', p_day::timestamp)::date;
BEGIN
    LOCK TABLE ONLY audit_log IN SHARE UPDATE EXCLUSIVE MODE;
    IF to_regclass(quote_ident(audit_month_table(v_month))) IS NULL THEN
        PERFORM build_audit_month(v_month);
        PERFORM attach_audit_month(v_month);
    END IF;
    RETURN audit_month_table(v_month);
END;
$$;
COMMENT ON FUNCTION create_audit_log_partition(date) IS 'Makes the audit partition of the month (UTC) that holds the day; returns its name; again is harmless.';

-- Keeps this month and the next p_months_ahead months ready; returns how many were made.
CREATE FUNCTION premake_audit_log_partitions(p_months_ahead integer) RETURNS integer
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    v_month date := date_trunc('month', clock_timestamp() AT TIME ZONE 'UTC')::date;
    v_before bigint := (SELECT count(*) FROM pg_inherits WHERE inhparent = 'audit_log'::regclass);
BEGIN
    FOR i IN 0..p_months_ahead LOOP
        PERFORM create_audit_log_partition((v_month + make_interval(months => i))::date);
    END LOOP;
    RETURN (SELECT count(*) FROM pg_inherits WHERE inhparent = 'audit_log'::regclass) - v_before;
END;
$$;
COMMENT ON FUNCTION premake_audit_log_partitions(integer) IS 'Keeps the audit partitions of this and the coming months ready; returns how many were new.';

-- The trigger of every append-only table. Where a table has a time for which its rows are kept, a trigger of
-- each row refuses to delete one before, and the function that prunes says here which table it is about.
CREATE FUNCTION refuse_change() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF TG_OP = 'DELETE' AND TG_LEVEL = 'STATEMENT'
        AND TG_TABLE_NAME IN ('client_measures', 'fix_messages', 'job_runs', 'law_checks', 'view_refreshes')
        AND current_setting('app.pruned_table', true) = TG_TABLE_NAME THEN
        RETURN NULL;
    END IF;
    RAISE EXCEPTION USING
        ERRCODE = 'TW010',
        MESSAGE = format('cannot %s rows of "%s"', lower(TG_OP), TG_TABLE_NAME),
        DETAIL = 'The table is append-only: its rows are the record that must be kept.',
        HINT = 'Write a correcting row instead.';
END;
$$;
COMMENT ON FUNCTION refuse_change() IS 'Trigger of append-only tables: refuses UPDATE, DELETE and TRUNCATE (SQLSTATE TW010).';

-- The trigger of tables whose rows may change but not become another's: who they belong to and
-- what they are about is the key that the guards compare by.
CREATE FUNCTION refuse_new_key() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    RAISE EXCEPTION USING
        ERRCODE = 'TW010',
        MESSAGE = format('cannot change whose or what a row of "%s" is', TG_TABLE_NAME),
        DETAIL = 'Its key, its owner and its terms are fixed when the row is written.',
        HINT = 'Write a new row instead.',
        TABLE = TG_TABLE_NAME;
END;
$$;
COMMENT ON FUNCTION refuse_new_key() IS 'Trigger of kept tables: refuses a change of key, owner or terms (SQLSTATE TW010).';

SELECT premake_audit_log_partitions(12);

CREATE TRIGGER audit_log_is_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_log
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Copies one change into audit_log. Rows are copied as jsonb with UTC times whatever the session's
-- settings, because these bytes are hashed later.
CREATE FUNCTION audit_row_change() RETURNS trigger
LANGUAGE plpgsql
SET search_path FROM CURRENT
SET "TimeZone" = 'UTC'
SET "DateStyle" = 'ISO, YMD'
SET "IntervalStyle" = 'iso_8601'
SET extra_float_digits = 1
SET bytea_output = 'hex' AS $$
DECLARE
    v_old jsonb := CASE WHEN TG_OP <> 'INSERT' THEN to_jsonb(OLD) END;
    v_new jsonb := CASE WHEN TG_OP <> 'DELETE' THEN to_jsonb(NEW) END;
    v_changes jsonb;
BEGIN
    IF TG_OP = 'UPDATE' THEN
        SELECT jsonb_object_agg(n.key, jsonb_build_array(o.value, n.value))
        INTO v_changes
        FROM jsonb_each(v_new) AS n
        JOIN jsonb_each(v_old) AS o USING (key)
        WHERE n.value IS DISTINCT FROM o.value;
    END IF;
    INSERT INTO audit_log (actor, table_name, row_id, action, changes, reason)
    VALUES (
        coalesce(nullif(current_setting('app.actor', true), ''), session_user),
        TG_TABLE_NAME,
        (coalesce(v_new, v_old) ->> 'id')::uuid,
        lower(TG_OP),
        coalesce(v_changes, v_new, v_old),
        nullif(current_setting('app.reason', true), '')
    );
    RETURN NULL;
END;
$$;
COMMENT ON FUNCTION audit_row_change() IS 'Trigger of audited tables: copies the change into audit_log with the actor from app.actor and the reason from app.reason.';

-- Counts the audited changes of a row, so that a change without its audit row can be seen.
CREATE FUNCTION count_revision() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    NEW.revision := OLD.revision + 1;
    NEW.updated_at := clock_timestamp();
    RETURN NEW;
END;
$$;
COMMENT ON FUNCTION count_revision() IS 'Trigger of audited tables: numbers the revisions of a row and stamps updated_at.';

CREATE TRIGGER users_count_revision
    BEFORE UPDATE ON users
    FOR EACH ROW EXECUTE FUNCTION count_revision();
CREATE TRIGGER users_are_audited
    AFTER INSERT OR UPDATE OR DELETE ON users
    FOR EACH ROW EXECUTE FUNCTION audit_row_change();
CREATE TRIGGER user_roles_count_revision
    BEFORE UPDATE ON user_roles
    FOR EACH ROW EXECUTE FUNCTION count_revision();
CREATE TRIGGER user_roles_are_audited
    AFTER INSERT OR UPDATE OR DELETE ON user_roles
    FOR EACH ROW EXECUTE FUNCTION audit_row_change();
CREATE TRIGGER instruments_count_revision
    BEFORE UPDATE ON instruments
    FOR EACH ROW EXECUTE FUNCTION count_revision();
CREATE TRIGGER instruments_are_audited
    AFTER INSERT OR UPDATE OR DELETE ON instruments
    FOR EACH ROW EXECUTE FUNCTION audit_row_change();
CREATE TRIGGER account_groups_count_revision
    BEFORE UPDATE ON account_groups
    FOR EACH ROW EXECUTE FUNCTION count_revision();
CREATE TRIGGER account_groups_are_audited
    AFTER INSERT OR UPDATE OR DELETE ON account_groups
    FOR EACH ROW EXECUTE FUNCTION audit_row_change();
CREATE TRIGGER commission_terms_count_revision
    BEFORE UPDATE ON commission_terms
    FOR EACH ROW EXECUTE FUNCTION count_revision();
CREATE TRIGGER commission_terms_are_audited
    AFTER INSERT OR UPDATE OR DELETE ON commission_terms
    FOR EACH ROW EXECUTE FUNCTION audit_row_change();
-- The groups that 001 has made were there before their trigger.
INSERT INTO audit_log (actor, table_name, row_id, action, changes)
SELECT session_user, 'account_groups', id, 'insert', to_jsonb(account_groups)
FROM account_groups;
-- Balance and version are the ledger's: balance_ledger is their record.
CREATE TRIGGER accounts_count_revision
    BEFORE UPDATE OF id, kind, user_id, group_code, currency, leverage, margin_call_level, stop_out_level, book, status, credit, revision, created_at
    ON accounts
    FOR EACH ROW EXECUTE FUNCTION count_revision();
CREATE TRIGGER accounts_are_audited
    AFTER INSERT OR DELETE OR UPDATE OF id, kind, user_id, group_code, currency, leverage, margin_call_level, stop_out_level, book, status, credit, revision, created_at
    ON accounts
    FOR EACH ROW EXECUTE FUNCTION audit_row_change();
ALTER TABLE users ENABLE ALWAYS TRIGGER users_are_audited;
ALTER TABLE user_roles ENABLE ALWAYS TRIGGER user_roles_are_audited;
ALTER TABLE instruments ENABLE ALWAYS TRIGGER instruments_are_audited;
ALTER TABLE account_groups ENABLE ALWAYS TRIGGER account_groups_are_audited;
ALTER TABLE commission_terms ENABLE ALWAYS TRIGGER commission_terms_are_audited;
ALTER TABLE accounts ENABLE ALWAYS TRIGGER accounts_are_audited;

-- Which steps an order may take (trading/lifecycle.py says the same in Python, and a test walks every
-- triple). A function, because a server reads the text of a CHECK for every statement; it looks
-- nothing up, so it needs no search path. The commonest steps stand first.
CREATE FUNCTION order_step_is_allowed(p_event_type text, p_from_status text, p_to_status text) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    RETURN CASE p_event_type
        WHEN 'new' THEN p_to_status = 'new'
        WHEN 'trade' THEN p_to_status IN ('filled', 'partially_filled')
        WHEN 'triggered' THEN p_to_status IN ('new', 'partially_filled')
        WHEN 'restated' THEN p_to_status IN ('new', 'partially_filled')
        WHEN 'replaced' THEN p_to_status IN ('new', 'partially_filled')
        ELSE p_to_status = p_event_type
    END AND CASE
        WHEN p_from_status IS NULL THEN p_to_status IN ('new', 'rejected', 'pending_new')
        WHEN p_from_status = 'new' THEN p_to_status IN (
            'filled', 'partially_filled', 'canceled', 'new', 'pending_cancel', 'pending_replace', 'rejected', 'expired'
        )
        WHEN p_from_status = 'partially_filled' THEN p_to_status IN (
            'filled', 'partially_filled', 'canceled', 'pending_cancel', 'pending_replace', 'expired'
        )
        WHEN p_from_status = 'pending_cancel' THEN p_to_status IN (
            'filled', 'partially_filled', 'canceled', 'new', 'expired'
        )
        WHEN p_from_status = 'pending_replace' THEN p_to_status IN (
            'filled', 'partially_filled', 'canceled', 'new', 'pending_cancel', 'expired'
        )
        WHEN p_from_status = 'pending_new' THEN p_to_status IN (
            'filled', 'partially_filled', 'canceled', 'new', 'pending_cancel', 'rejected', 'expired'
        )
        ELSE false
    END;
END;
$$;
COMMENT ON FUNCTION order_step_is_allowed(text, text, text) IS 'Whether an event may take an order from one state to another (FIX 4.4 order state changes); false from a state that has ended.';

CREATE TABLE order_events (
    order_id uuid
        CONSTRAINT order_events_order_id_present NOT NULL
        -- Written by one statement with its order, so the guard below sees both.
        CONSTRAINT order_events_order_exists REFERENCES orders (id) NOT ENFORCED,
    seq record_version
        CONSTRAINT order_events_seq_present NOT NULL,
    event_type order_event_type
        CONSTRAINT order_events_event_type_present NOT NULL,
    from_status text,
    to_status text
        CONSTRAINT order_events_to_status_present NOT NULL,
    quantity positive_quantity,
    price positive_price,
    actor text
        CONSTRAINT order_events_actor_present NOT NULL,
    details jsonb,
    occurred_at timestamptz DEFAULT clock_timestamp()
        CONSTRAINT order_events_occurred_at_present NOT NULL,
    CONSTRAINT order_events_pkey PRIMARY KEY (order_id, seq),
    CONSTRAINT order_events_step_allowed CHECK (order_step_is_allowed(event_type, from_status, to_status)),
    CONSTRAINT order_events_first_has_no_origin CHECK ((seq = 1) = (from_status IS NULL)),
    CONSTRAINT order_events_trade_has_quantity_and_price CHECK (
        (event_type = 'trade') = (quantity IS NOT NULL AND price IS NOT NULL)
    )
);
COMMENT ON TABLE order_events IS 'Every step of every order in sequence (FIX execution reports): append-only.';
COMMENT ON COLUMN order_events.event_type IS 'FIX ExecType (150): pending_new A, new 0, trade F, triggered L, restated D, replaced 5, pending_cancel 6, pending_replace E, canceled 4, rejected 8, expired C.';
COMMENT ON COLUMN order_events.details IS 'What was seen and decided: the quotes of every provider, the checks'' figures, the reason of an end.';
-- For what follows events as they come; of the newest pages it keeps nothing, so that writing costs next to nothing.
CREATE INDEX idx_order_events_occurred_at_brin
    ON order_events USING brin (occurred_at) WITH (pages_per_range = 32, autosummarize = on);

CREATE TABLE order_replacements (
    account_id uuid
        CONSTRAINT order_replacements_account_id_present NOT NULL
        CONSTRAINT order_replacements_account_exists REFERENCES accounts (id) ON DELETE RESTRICT,
    key text
        CONSTRAINT order_replacements_key_present NOT NULL
        CONSTRAINT order_replacements_key_is_plain CHECK (
            length(key) BETWEEN 1 AND 64 AND key !~ '[^A-Za-z0-9._:-]'
        ),
    order_id uuid
        CONSTRAINT order_replacements_order_id_present NOT NULL,
    order_version integer
        CONSTRAINT order_replacements_order_version_present NOT NULL,
    first_key text
        CONSTRAINT order_replacements_first_key_present NOT NULL,
    replaced_key text
        CONSTRAINT order_replacements_replaced_key_present NOT NULL,
    quantity numeric(20, 8)
        CONSTRAINT order_replacements_quantity_present NOT NULL
        CONSTRAINT order_replacements_quantity_positive CHECK (quantity > 0 AND quantity < 'Infinity'),
    limit_price numeric(20, 8)
        CONSTRAINT order_replacements_limit_price_positive CHECK (limit_price > 0 AND limit_price < 'Infinity'),
    stop_price numeric(20, 8)
        CONSTRAINT order_replacements_stop_price_positive CHECK (stop_price > 0 AND stop_price < 'Infinity'),
    replaced_at timestamptz DEFAULT clock_timestamp()
        CONSTRAINT order_replacements_replaced_at_present NOT NULL,
    CONSTRAINT order_replacements_pkey PRIMARY KEY (account_id, key),
    CONSTRAINT order_replacements_event_once UNIQUE (order_id, order_version),
    CONSTRAINT order_replacements_event_exists FOREIGN KEY (order_id, order_version)
        REFERENCES order_events (order_id, seq) ON DELETE RESTRICT,
    CONSTRAINT order_replacements_first_exists FOREIGN KEY (account_id, first_key)
        REFERENCES orders (account_id, client_order_id) ON DELETE RESTRICT,
    CONSTRAINT order_replacements_key_is_fresh CHECK (
        key NOT IN (first_key, replaced_key)
    )
);
COMMENT ON TABLE order_replacements IS 'The chain of keys under which clients have replaced orders (FIX OrderCancelReplaceRequest): append-only.';
COMMENT ON COLUMN order_replacements.key IS 'FIX ClOrdID (11) of the replacement; names the same order from then on.';
COMMENT ON COLUMN order_replacements.order_version IS 'Sequence number of the order''s event `replaced`.';
COMMENT ON COLUMN order_replacements.first_key IS 'The key under which the order was submitted.';
COMMENT ON COLUMN order_replacements.replaced_key IS 'FIX OrigClOrdID (41): the key by which the client named what it replaced.';
COMMENT ON COLUMN order_replacements.quantity IS 'FIX OrderQty (38) from then on; what has been filled counts towards it.';
-- A chain is read by the order's own key.
CREATE INDEX idx_order_replacements_account_id_first
    ON order_replacements (account_id, first_key);
-- The limit of messages counts those of the last second.
CREATE INDEX idx_order_replacements_account_id_replaced_at
    ON order_replacements (account_id, replaced_at);

CREATE TABLE position_amendments (
    id uuid
        CONSTRAINT position_amendments_pkey PRIMARY KEY,
    account_id uuid
        CONSTRAINT position_amendments_account_id_present NOT NULL
        CONSTRAINT position_amendments_account_exists REFERENCES accounts (id) ON DELETE RESTRICT,
    amendment_id uuid
        CONSTRAINT position_amendments_amendment_id_present NOT NULL,
    position_id uuid
        CONSTRAINT position_amendments_position_id_present NOT NULL
        CONSTRAINT position_amendments_position_exists REFERENCES positions (id) ON DELETE RESTRICT,
    position_version integer
        CONSTRAINT position_amendments_position_version_present NOT NULL
        CONSTRAINT position_amendments_position_version_positive CHECK (position_version > 0),
    is_named boolean
        CONSTRAINT position_amendments_is_named_present NOT NULL,
    sets_stop_loss boolean
        CONSTRAINT position_amendments_sets_stop_loss_present NOT NULL,
    sets_take_profit boolean
        CONSTRAINT position_amendments_sets_take_profit_present NOT NULL,
    stop_loss_before numeric(20, 8)
        CONSTRAINT position_amendments_stop_loss_before_positive CHECK (
            stop_loss_before > 0 AND stop_loss_before < 'Infinity'
        ),
    take_profit_before numeric(20, 8)
        CONSTRAINT position_amendments_take_profit_before_positive CHECK (
            take_profit_before > 0 AND take_profit_before < 'Infinity'
        ),
    stop_loss numeric(20, 8)
        CONSTRAINT position_amendments_stop_loss_positive CHECK (stop_loss > 0 AND stop_loss < 'Infinity'),
    take_profit numeric(20, 8)
        CONSTRAINT position_amendments_take_profit_positive CHECK (take_profit > 0 AND take_profit < 'Infinity'),
    bid numeric(20, 8)
        CONSTRAINT position_amendments_bid_finite CHECK (bid > '-Infinity' AND bid < 'Infinity'),
    ask numeric(20, 8)
        CONSTRAINT position_amendments_ask_finite CHECK (ask > '-Infinity' AND ask < 'Infinity'),
    quoted_at timestamptz,
    booked_at timestamptz
        CONSTRAINT position_amendments_booked_at_present NOT NULL,
    amended_at timestamptz DEFAULT clock_timestamp()
        CONSTRAINT position_amendments_amended_at_present NOT NULL,
    CONSTRAINT position_amendments_once UNIQUE (account_id, amendment_id, position_id),
    CONSTRAINT position_amendments_set_something CHECK (sets_stop_loss OR sets_take_profit),
    CONSTRAINT position_amendments_leave_stop_loss CHECK (
        sets_stop_loss OR stop_loss IS NOT DISTINCT FROM stop_loss_before
    ),
    CONSTRAINT position_amendments_leave_take_profit CHECK (
        sets_take_profit OR take_profit IS NOT DISTINCT FROM take_profit_before
    ),
    CONSTRAINT position_amendments_price_is_whole CHECK (
        (bid IS NULL) = (ask IS NULL) AND (bid IS NULL) = (quoted_at IS NULL)
    )
);
COMMENT ON TABLE position_amendments IS 'Stop-loss and take-profit of open positions as their clients have changed them, a row for each position that it holds for: append-only.';
COMMENT ON COLUMN position_amendments.id IS 'Ordered by time beside the ids of orders: levels of an order with a smaller one are older.';
COMMENT ON COLUMN position_amendments.amendment_id IS 'The client''s own key: the same key again returns the first amendment.';
COMMENT ON COLUMN position_amendments.position_version IS 'Number of the position''s last trade when it was amended.';
COMMENT ON COLUMN position_amendments.is_named IS 'Whether the client has named this position; in FIFO an amendment holds for all of the symbol.';
COMMENT ON COLUMN position_amendments.sets_stop_loss IS 'Whether the stop-loss was asked for, NULL to remove it; one that was not stays as it was.';
COMMENT ON COLUMN position_amendments.bid IS 'Price that the new levels were held against, the last one known where none was fresh; NULL where they were only removed.';
COMMENT ON COLUMN position_amendments.quoted_at IS 'When that price was quoted.';
COMMENT ON COLUMN position_amendments.booked_at IS 'Market time at which it was booked.';
-- What was done to a position is read by it.
CREATE INDEX idx_position_amendments_position_id
    ON position_amendments (position_id);
-- For what follows events as they come.
CREATE INDEX idx_position_amendments_amended_at_brin
    ON position_amendments USING brin (amended_at) WITH (pages_per_range = 32, autosummarize = on);

-- The guards below are state against record: a row must be what its last record says, the last
-- record must be the newest, and each record must begin where the one before ended. They look a
-- whole statement up at once and by index only, so their cost does not grow with the tables: they
-- are outer joins under these planner settings, because plans are kept from when the tables were
-- small, and an EXISTS beside an OR would be hashed over the whole table. A row that need not be
-- looked up is looked up by NULL, which an index answers without being read. State and record are
-- written by one statement, whose guards see both.

CREATE FUNCTION order_events_follow_each_other() RETURNS trigger
LANGUAGE plpgsql
SET search_path FROM CURRENT
SET enable_seqscan = off
SET enable_hashjoin = on
SET enable_nestloop = off
SET enable_bitmapscan = off
SET enable_sort = off AS $$
DECLARE
    v_id uuid;
    v_is_orphan boolean;
BEGIN
    IF current_setting('tradewright.writes_batches', true) = 'on' THEN
        PERFORM
        FROM new_events AS n
        LEFT JOIN new_events AS b ON b.order_id = n.order_id AND b.seq = n.seq - 1
        LEFT JOIN (
            SELECT s.id FROM orders AS s WHERE s.id = ANY(ARRAY(SELECT x.order_id FROM new_events AS x WHERE x.seq = 1)) OFFSET 0
        ) AS o ON o.id = n.order_id
        WHERE CASE
            WHEN n.seq = 1 THEN o.id IS NULL
            WHEN b.seq IS NOT NULL THEN b.to_status IS DISTINCT FROM n.from_status
            ELSE (
                SELECT e.to_status FROM order_events AS e WHERE e.order_id = n.order_id AND e.seq = n.seq - 1
            ) IS DISTINCT FROM n.from_status
        END;
        IF NOT FOUND THEN
            RETURN NULL;
        END IF;
    END IF;
    SELECT n.order_id, n.seq = 1 AND o.id IS NULL
    INTO v_id, v_is_orphan
    FROM new_events AS n
    LEFT JOIN LATERAL (
        SELECT e.to_status FROM order_events AS e WHERE e.order_id = n.order_id AND e.seq = nullif(n.seq - 1, 0) OFFSET 0
    ) AS before ON true
    LEFT JOIN LATERAL (
        SELECT s.id FROM orders AS s WHERE s.id = CASE WHEN n.seq = 1 THEN n.order_id END OFFSET 0
    ) AS o ON true
    WHERE before.to_status IS DISTINCT FROM n.from_status
       OR (n.seq = 1 AND o.id IS NULL)
    LIMIT 1;
    IF v_is_orphan THEN
        RAISE foreign_key_violation USING
            MESSAGE = format('an event refers to order "%s", which does not exist', v_id),
            TABLE = TG_TABLE_NAME,
            CONSTRAINT = 'order_events_order_exists';
    ELSIF v_id IS NOT NULL THEN
        RAISE EXCEPTION USING
            ERRCODE = 'TW011',
            MESSAGE = format('order "%s" cannot change without its events', v_id),
            DETAIL = 'An order stands where its last row in order_events leads, and each event begins where the one before ended.',
            HINT = 'Write the order and its events in one statement.',
            TABLE = TG_TABLE_NAME;
    END IF;
    RETURN NULL;
END;
$$;
COMMENT ON FUNCTION order_events_follow_each_other() IS 'Trigger of order_events: each event begins in the state in which the one before ended (SQLSTATE TW011); the order of a first event exists.';
CREATE TRIGGER order_events_follow_each_other
    AFTER INSERT ON order_events
    REFERENCING NEW TABLE AS new_events
    FOR EACH STATEMENT EXECUTE FUNCTION order_events_follow_each_other();

CREATE FUNCTION orders_follow_their_events() RETURNS trigger
LANGUAGE plpgsql
SET search_path FROM CURRENT
SET enable_seqscan = off
SET enable_hashjoin = on
SET enable_nestloop = off
SET enable_bitmapscan = off
SET enable_sort = off AS $$
DECLARE
    v_is_new boolean := TG_OP = 'INSERT'; -- what an order refers to never changes afterwards
    v_id uuid;
    v_is_orphan boolean;
BEGIN
    IF v_is_new AND current_setting('tradewright.writes_batches', true) = 'on' THEN
        PERFORM
        FROM new_orders AS n
        LEFT JOIN (
            SELECT s.id FROM accounts AS s WHERE s.id = ANY(ARRAY(SELECT x.account_id FROM new_orders AS x)) OFFSET 0
        ) AS a ON a.id = n.account_id
        LEFT JOIN instruments AS i ON i.symbol = n.symbol
        LEFT JOIN (
            SELECT e.order_id, e.seq, e.to_status
            FROM order_events AS e
            WHERE e.order_id = ANY(ARRAY(SELECT x.id FROM new_orders AS x))
            OFFSET 0
        ) AS last ON last.order_id = n.id AND last.seq >= n.version
        WHERE a.id IS NULL
           OR i.symbol IS NULL
           OR (last.seq, last.to_status) IS DISTINCT FROM (n.version, n.status);
        IF NOT FOUND THEN
            RETURN NULL;
        END IF;
    END IF;
    SELECT n.id, v_is_new AND (a.id IS NULL OR i.symbol IS NULL)
    INTO v_id, v_is_orphan
    FROM new_orders AS n
    LEFT JOIN LATERAL (
        SELECT s.id FROM accounts AS s WHERE s.id = CASE WHEN v_is_new THEN n.account_id END OFFSET 0
    ) AS a ON true
    LEFT JOIN LATERAL (
        SELECT s.symbol FROM instruments AS s WHERE s.symbol = CASE WHEN v_is_new THEN n.symbol END OFFSET 0
    ) AS i ON true
    LEFT JOIN LATERAL (
        SELECT e.seq, e.to_status
        FROM order_events AS e
        WHERE e.order_id = n.id
        ORDER BY e.seq DESC
        LIMIT 1
    ) AS last ON true
    WHERE (v_is_new AND (a.id IS NULL OR i.symbol IS NULL))
       OR last.seq IS DISTINCT FROM n.version
       OR last.to_status <> n.status
    LIMIT 1;
    IF v_is_orphan THEN
        RAISE foreign_key_violation USING
            MESSAGE = format('order "%s" refers to an account or instrument that does not exist', v_id),
            TABLE = TG_TABLE_NAME,
            CONSTRAINT = 'orders_account_exists';
    ELSIF v_id IS NOT NULL THEN
        RAISE EXCEPTION USING
            ERRCODE = 'TW011',
            MESSAGE = format('order "%s" cannot change without its events', v_id),
            DETAIL = 'An order stands where its last row in order_events leads, and each event begins where the one before ended.',
            HINT = 'Write the order and its events in one statement.',
            TABLE = TG_TABLE_NAME;
    END IF;
    RETURN NULL;
END;
$$;
COMMENT ON FUNCTION orders_follow_their_events() IS 'Trigger of orders: refuses an order that is not where its events lead (SQLSTATE TW011), or whose account or instrument does not exist.';
CREATE TRIGGER orders_insert_follows_events
    AFTER INSERT ON orders
    REFERENCING NEW TABLE AS new_orders
    FOR EACH STATEMENT EXECUTE FUNCTION orders_follow_their_events();
CREATE TRIGGER orders_update_follows_events
    AFTER UPDATE ON orders
    REFERENCING NEW TABLE AS new_orders
    FOR EACH STATEMENT EXECUTE FUNCTION orders_follow_their_events();

-- What has been dealt stands in order_fills, which loses no row; what a provider takes back is a reversal beside it.
CREATE FUNCTION orders_deal_no_less() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    RAISE EXCEPTION USING
        ERRCODE = 'TW011',
        MESSAGE = format('order "%s" cannot have dealt %s after %s', NEW.id, NEW.filled_quantity, OLD.filled_quantity),
        DETAIL = 'The dealt quantity of an order (FIX CumQty) never falls.',
        HINT = 'Reverse the trades of an execution that is taken back.',
        TABLE = TG_TABLE_NAME;
END;
$$;
COMMENT ON FUNCTION orders_deal_no_less() IS 'Trigger of orders: refuses a dealt quantity that falls (SQLSTATE TW011).';
CREATE TRIGGER orders_deal_no_less
    BEFORE UPDATE OF filled_quantity ON orders
    FOR EACH ROW WHEN (NEW.filled_quantity < OLD.filled_quantity)
    EXECUTE FUNCTION orders_deal_no_less();

CREATE FUNCTION trades_follow_each_other() RETURNS trigger
LANGUAGE plpgsql
SET search_path FROM CURRENT
SET enable_seqscan = off
SET enable_hashjoin = on
SET enable_nestloop = off
SET enable_bitmapscan = off
SET enable_sort = off AS $$
DECLARE
    v_id uuid;
    v_is_orphan boolean;
BEGIN
    IF current_setting('tradewright.writes_batches', true) = 'on' THEN
        PERFORM
        FROM new_trades AS n
        LEFT JOIN (
            SELECT s.id FROM order_fills AS s WHERE s.id = ANY(ARRAY(SELECT x.fill_id FROM new_trades AS x)) OFFSET 0
        ) AS f ON f.id = n.fill_id
        WHERE f.id IS NULL
           OR CASE
               WHEN n.position_version = 1 THEN (
                   SELECT p.account_id
                   FROM positions AS p
                   WHERE p.id = n.position_id
                     AND (n.position_quantity, n.position_realised_pnl) = (n.quantity, n.realised_pnl)
               )
               ELSE (
                   SELECT t.account_id
                   FROM trades AS t
                   WHERE t.position_id = n.position_id
                     AND t.position_version = n.position_version - 1
                     AND n.position_quantity = t.position_quantity + n.quantity
                     AND n.position_realised_pnl = t.position_realised_pnl + n.realised_pnl
                     AND (n.effect <> 'close' OR n.position_average_price = t.position_average_price)
               )
           END IS DISTINCT FROM n.account_id;
        IF NOT FOUND THEN
            RETURN NULL;
        END IF;
    END IF;
    SELECT n.position_id, (f.id IS NULL AND c.id IS NULL) OR position.account_id IS DISTINCT FROM n.account_id
    INTO v_id, v_is_orphan
    FROM new_trades AS n
    LEFT JOIN LATERAL (SELECT s.id FROM order_fills AS s WHERE s.id = n.fill_id OFFSET 0) AS f ON true
    LEFT JOIN LATERAL (SELECT s.id FROM close_bys AS s WHERE s.id = n.close_by_id OFFSET 0) AS c ON true
    LEFT JOIN LATERAL (
        SELECT t.id, t.account_id, t.position_quantity, t.position_realised_pnl, t.position_average_price
        FROM trades AS t
        WHERE t.position_id = n.position_id AND t.position_version = nullif(n.position_version - 1, 0)
        OFFSET 0
    ) AS before ON true
    LEFT JOIN LATERAL (
        SELECT s.account_id FROM positions AS s WHERE s.id = CASE WHEN n.position_version = 1 THEN n.position_id END OFFSET 0
    ) AS p ON true
    CROSS JOIN LATERAL (
        -- A later trade without its predecessor is a gap, which is refused further down.
        SELECT CASE n.position_version WHEN 1 THEN p.account_id ELSE coalesce(before.account_id, n.account_id) END
    ) AS position (account_id)
    WHERE (f.id IS NULL AND c.id IS NULL)
       OR position.account_id IS DISTINCT FROM n.account_id
       OR (n.position_version > 1 AND before.id IS NULL)
       OR n.position_quantity <> coalesce(before.position_quantity, 0) + n.quantity
       OR n.position_realised_pnl <> coalesce(before.position_realised_pnl, 0) + n.realised_pnl
       OR (n.effect = 'close' AND n.position_average_price <> before.position_average_price)
    LIMIT 1;
    IF v_is_orphan THEN
        RAISE foreign_key_violation USING
            MESSAGE = format('a trade of position "%s" refers to a fill, pairing or position that does not exist, or to another account than the position''s', v_id),
            TABLE = TG_TABLE_NAME,
            CONSTRAINT = 'trades_position_exists';
    ELSIF v_id IS NOT NULL THEN
        RAISE EXCEPTION USING
            ERRCODE = 'TW012',
            MESSAGE = format('position "%s" cannot change without its trades', v_id),
            DETAIL = 'A position is what its last row in trades says, and each trade begins where the one before ended.',
            HINT = 'Write the position and its trades in one statement.',
            TABLE = TG_TABLE_NAME;
    END IF;
    RETURN NULL;
END;
$$;
COMMENT ON FUNCTION trades_follow_each_other() IS 'Trigger of trades: each trade begins where the one before left the position (SQLSTATE TW012); its fill or pairing and its position exist, and its account is the position''s.';
CREATE TRIGGER trades_follow_each_other
    AFTER INSERT ON trades
    REFERENCING NEW TABLE AS new_trades
    FOR EACH STATEMENT EXECUTE FUNCTION trades_follow_each_other();

CREATE FUNCTION positions_follow_their_trades() RETURNS trigger
LANGUAGE plpgsql
SET search_path FROM CURRENT
SET enable_seqscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
SET enable_bitmapscan = off
SET enable_sort = off AS $$
DECLARE
    v_is_new boolean := TG_OP = 'INSERT'; -- what a position refers to never changes afterwards
    v_id uuid;
    v_is_orphan boolean;
    v_is_misfit boolean;
BEGIN
    SELECT n.id, v_is_new AND (a.id IS NULL OR i.symbol IS NULL), v_is_new AND g.position_mode <> n.position_mode
    INTO v_id, v_is_orphan, v_is_misfit
    FROM new_positions AS n
    LEFT JOIN LATERAL (
        SELECT s.id, s.group_code FROM accounts AS s WHERE s.id = CASE WHEN v_is_new THEN n.account_id END OFFSET 0
    ) AS a ON true
    LEFT JOIN account_groups AS g ON g.code = a.group_code
    LEFT JOIN LATERAL (
        SELECT s.symbol FROM instruments AS s WHERE s.symbol = CASE WHEN v_is_new THEN n.symbol END OFFSET 0
    ) AS i ON true
    LEFT JOIN LATERAL (
        SELECT t.position_version, t.position_quantity, t.position_average_price, t.position_realised_pnl
        FROM trades AS t
        WHERE t.position_id = n.id
        ORDER BY t.position_version DESC
        LIMIT 1
    ) AS last ON true
    WHERE (v_is_new AND (a.id IS NULL OR i.symbol IS NULL OR g.position_mode <> n.position_mode))
       OR last.position_version IS DISTINCT FROM n.version
       OR last.position_quantity <> n.quantity
       OR last.position_average_price <> n.average_price
       OR last.position_realised_pnl <> n.realised_pnl
    LIMIT 1;
    IF v_is_orphan THEN
        RAISE foreign_key_violation USING
            MESSAGE = format('position "%s" refers to an account or instrument that does not exist', v_id),
            TABLE = TG_TABLE_NAME,
            CONSTRAINT = 'positions_account_exists';
    ELSIF v_is_misfit THEN
        RAISE EXCEPTION USING
            ERRCODE = 'TW050',
            MESSAGE = format('position "%s" is of another mode than its account''s group', v_id),
            DETAIL = 'All positions of an account are opened in the mode of its group.',
            HINT = 'Write the position in the mode of the group.',
            TABLE = TG_TABLE_NAME;
    ELSIF v_id IS NOT NULL THEN
        RAISE EXCEPTION USING
            ERRCODE = 'TW012',
            MESSAGE = format('position "%s" cannot change without its trades', v_id),
            DETAIL = 'A position is what its last row in trades says, and each trade begins where the one before ended.',
            HINT = 'Write the position and its trades in one statement.',
            TABLE = TG_TABLE_NAME;
    END IF;
    RETURN NULL;
END;
$$;
COMMENT ON FUNCTION positions_follow_their_trades() IS 'Trigger of positions: refuses a position that is not what its last trade says (SQLSTATE TW012), that is of another mode than its account''s group (TW050), or whose account or instrument does not exist.';
CREATE TRIGGER positions_insert_follows_trades
    AFTER INSERT ON positions
    REFERENCING NEW TABLE AS new_positions
    FOR EACH STATEMENT EXECUTE FUNCTION positions_follow_their_trades();
CREATE TRIGGER positions_update_follows_trades
    AFTER UPDATE ON positions
    REFERENCING NEW TABLE AS new_positions
    FOR EACH STATEMENT EXECUTE FUNCTION positions_follow_their_trades();

-- A mode is changed only where nothing is open: positions of two modes in one account would have
-- no order in which they are closed. The accounts are locked first, so that no batch opens one in
-- between.
CREATE FUNCTION refuse_mode_of_open_positions(p_account_ids uuid[]) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    v_id uuid;
BEGIN
    PERFORM FROM accounts WHERE id = ANY (p_account_ids) ORDER BY id FOR NO KEY UPDATE;
    SELECT a.id
    INTO v_id
    FROM accounts AS a
    JOIN account_groups AS g ON g.code = a.group_code
    JOIN positions AS p ON p.account_id = a.id AND p.is_open AND p.position_mode <> g.position_mode
    WHERE a.id = ANY (p_account_ids)
    LIMIT 1;
    IF v_id IS NOT NULL THEN
        RAISE EXCEPTION USING
            ERRCODE = 'TW051',
            MESSAGE = format('account "%s" has open positions of another mode', v_id),
            DETAIL = 'The position mode of an account changes only while nothing is open in it.',
            HINT = 'Close the positions first, or open another account.';
    END IF;
END;
$$;
COMMENT ON FUNCTION refuse_mode_of_open_positions(uuid[]) IS 'Refuses accounts that have open positions of another mode than their group (SQLSTATE TW051).';

-- So is what margin is computed at: positions that were opened under one have no opening rate, and
-- under the other each of their trades has one.
CREATE FUNCTION refuse_margin_price_of_open_positions(p_account_ids uuid[]) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    v_id uuid;
BEGIN
    PERFORM FROM accounts WHERE id = ANY (p_account_ids) ORDER BY id FOR NO KEY UPDATE;
    SELECT a.id
    INTO v_id
    FROM accounts AS a
    JOIN account_groups AS g ON g.code = a.group_code
    JOIN positions AS p ON p.account_id = a.id AND p.is_open
    LEFT JOIN opening_rates AS r ON r.position_id = p.id AND r.position_version = p.version
    WHERE a.id = ANY (p_account_ids) AND (r.rate IS NOT NULL) <> (g.margin_price = 'open')
    LIMIT 1;
    IF v_id IS NOT NULL THEN
        RAISE EXCEPTION USING
            ERRCODE = 'TW052',
            MESSAGE = format('account "%s" has open positions that bind margin at another price', v_id),
            DETAIL = 'What the margin of an account is computed at changes only while nothing is open in it.',
            HINT = 'Close the positions first, or open another account.';
    END IF;
END;
$$;
COMMENT ON FUNCTION refuse_margin_price_of_open_positions(uuid[]) IS 'Refuses accounts that have open positions whose margin is computed at another price than their group''s (SQLSTATE TW052).';

CREATE FUNCTION account_groups_keep_their_margin_price() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    PERFORM refuse_margin_price_of_open_positions(ARRAY(SELECT id FROM accounts WHERE group_code = NEW.code));
    RETURN NULL;
END;
$$;
COMMENT ON FUNCTION account_groups_keep_their_margin_price() IS 'Trigger of account_groups: refuses another price of margin while positions of the group are open (SQLSTATE TW052).';
CREATE TRIGGER account_groups_keep_their_margin_price
    AFTER UPDATE OF margin_price ON account_groups
    FOR EACH ROW WHEN (OLD.margin_price <> NEW.margin_price)
    EXECUTE FUNCTION account_groups_keep_their_margin_price();

CREATE FUNCTION account_groups_keep_their_mode() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    PERFORM refuse_mode_of_open_positions(ARRAY(SELECT id FROM accounts WHERE group_code = NEW.code));
    RETURN NULL;
END;
$$;
COMMENT ON FUNCTION account_groups_keep_their_mode() IS 'Trigger of account_groups: refuses another mode while positions of the group are open (SQLSTATE TW051).';
CREATE TRIGGER account_groups_keep_their_mode
    AFTER UPDATE OF position_mode ON account_groups
    FOR EACH ROW WHEN (OLD.position_mode <> NEW.position_mode)
    EXECUTE FUNCTION account_groups_keep_their_mode();

CREATE FUNCTION accounts_keep_their_mode() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    PERFORM refuse_mode_of_open_positions(ARRAY[NEW.id]);
    PERFORM refuse_margin_price_of_open_positions(ARRAY[NEW.id]);
    RETURN NULL;
END;
$$;
COMMENT ON FUNCTION accounts_keep_their_mode() IS 'Trigger of accounts: refuses a group of another mode, or price of margin, while positions are open (SQLSTATE TW051, TW052).';
CREATE TRIGGER accounts_keep_their_mode
    AFTER UPDATE OF group_code ON accounts
    FOR EACH ROW WHEN (OLD.group_code <> NEW.group_code)
    EXECUTE FUNCTION accounts_keep_their_mode();

-- A closed account has nothing in it and stays closed. Whoever closes it holds its row, as each batch does that
-- books in it, so nothing comes in meanwhile, and what came before is seen.
CREATE FUNCTION accounts_close_empty() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    v_position_count bigint;
    v_order_count bigint;
BEGIN
    IF OLD.status = 'closed' THEN
        RAISE EXCEPTION USING
            ERRCODE = 'TW063',
            MESSAGE = format('account "%s" is closed and cannot become %s', NEW.id, NEW.status),
            DETAIL = 'A closed account stays closed, with its record.',
            HINT = 'Open another account for the client.',
            TABLE = TG_TABLE_NAME;
    END IF;
    SELECT count(*) INTO v_position_count FROM positions WHERE account_id = NEW.id AND is_open;
    SELECT count(*) INTO v_order_count FROM orders WHERE account_id = NEW.id AND remaining_quantity > 0;
    IF (v_position_count, v_order_count, NEW.balance, NEW.credit) <> (0, 0, 0, 0) THEN
        RAISE EXCEPTION USING
            ERRCODE = 'TW063',
            MESSAGE = format('account "%s" cannot be closed', NEW.id),
            DETAIL = format('There stand in the way: %s.', concat_ws(
                ', ',
                CASE WHEN v_position_count > 0 THEN format('open positions: %s', v_position_count) END,
                CASE WHEN v_order_count > 0 THEN format('live orders: %s', v_order_count) END,
                CASE WHEN NEW.balance <> 0 THEN format('balance: %s %s', trim_scale(NEW.balance), NEW.currency) END,
                CASE WHEN NEW.credit <> 0 THEN format('credit: %s %s', trim_scale(NEW.credit), NEW.currency) END
            )),
            HINT = 'Close positions, cancel orders, move the money to the wallet and withdraw the credit first; reinstate a suspended account for that.',
            TABLE = TG_TABLE_NAME;
    END IF;
    RETURN NULL;
END;
$$;
COMMENT ON FUNCTION accounts_close_empty() IS 'Trigger of accounts: refuses to close one with positions, orders, money or credit, and to open a closed one again (SQLSTATE TW063).';
CREATE TRIGGER accounts_close_empty
    AFTER UPDATE OF status ON accounts
    FOR EACH ROW WHEN ('closed' IN (OLD.status, NEW.status) AND OLD.status <> NEW.status)
    EXECUTE FUNCTION accounts_close_empty();

CREATE FUNCTION users_stay_closed() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    RAISE EXCEPTION USING
        ERRCODE = 'TW064',
        MESSAGE = format('user "%s" is closed and cannot become %s', NEW.id, NEW.status),
        DETAIL = 'A closed user stays closed, with the record.',
        HINT = 'Open another user.',
        TABLE = TG_TABLE_NAME;
END;
$$;
COMMENT ON FUNCTION users_stay_closed() IS 'Trigger of users: refuses to open a closed one again (SQLSTATE TW064).';
CREATE TRIGGER users_stay_closed
    BEFORE UPDATE OF status ON users
    FOR EACH ROW WHEN (OLD.status = 'closed' AND NEW.status <> 'closed')
    EXECUTE FUNCTION users_stay_closed();

-- Of an account in book B nobody asks what it has with providers: each order would pay for the question. An
-- order keeps the book that it was taken in, so none of another book may live there. Whoever books an order
-- holds the account.
CREATE FUNCTION accounts_keep_their_book() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    v_order orders;
BEGIN
    SELECT * INTO v_order
    FROM orders
    WHERE account_id = NEW.id AND remaining_quantity > 0 AND book <> 'B'
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION USING
            ERRCODE = 'TW021',
            MESSAGE = format('account "%s" has order "%s" of book %s', NEW.id, v_order.client_order_id, v_order.book),
            DETAIL = 'An order keeps its book, and what is with a provider binds margin in an account of its book only.',
            HINT = 'Cancel the orders, or wait for their end.',
            TABLE = TG_TABLE_NAME;
    END IF;
    RETURN NULL;
END;
$$;
COMMENT ON FUNCTION accounts_keep_their_book() IS 'Trigger of accounts: refuses book B while orders of another book live in the account (SQLSTATE TW021).';
CREATE TRIGGER accounts_keep_their_book
    AFTER UPDATE OF book ON accounts
    FOR EACH ROW WHEN (OLD.book <> NEW.book AND NEW.book = 'B')
    EXECUTE FUNCTION accounts_keep_their_book();

-- Retail clients get no benefit beside the results of their trades (ESMA Decision (EU) 2018/796, article 2):
-- they are lent nothing. Whoever lends holds the client's row from becoming retail meanwhile, whatever its
-- class was when it was looked at, and whoever makes a client retail looks when it has the row.
CREATE FUNCTION accounts_lend_nothing_to_retail() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    v_class text;
BEGIN
    SELECT client_class INTO v_class FROM users WHERE id = NEW.user_id FOR SHARE;
    IF v_class = 'retail' THEN
        RAISE EXCEPTION USING
            ERRCODE = 'TW060',
            MESSAGE = format('account "%s" of a retail client cannot have a credit of %s %s', NEW.id, NEW.credit, NEW.currency),
            DETAIL = 'Retail clients are given no incentives (ESMA Decision (EU) 2018/796).',
            HINT = 'Lend to professional clients only.',
            TABLE = TG_TABLE_NAME;
    END IF;
    RETURN NULL;
END;
$$;
COMMENT ON FUNCTION accounts_lend_nothing_to_retail() IS 'Trigger of accounts: refuses a credit for a retail client''s account (SQLSTATE TW060).';
CREATE TRIGGER accounts_lend_nothing_to_retail
    AFTER INSERT OR UPDATE OF credit ON accounts
    FOR EACH ROW WHEN (NEW.credit > 0)
    EXECUTE FUNCTION accounts_lend_nothing_to_retail();

CREATE FUNCTION retail_users_have_no_credit() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    v_account accounts;
BEGIN
    SELECT * INTO v_account FROM accounts WHERE user_id = NEW.id AND credit > 0 LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION USING
            ERRCODE = 'TW060',
            MESSAGE = format('user "%s" cannot become retail with a credit of %s %s', NEW.id, v_account.credit, v_account.currency),
            DETAIL = 'Retail clients are given no incentives (ESMA Decision (EU) 2018/796).',
            HINT = 'Withdraw the credit of the client''s accounts first.',
            TABLE = TG_TABLE_NAME;
    END IF;
    RETURN NULL;
END;
$$;
COMMENT ON FUNCTION retail_users_have_no_credit() IS 'Trigger of users: refuses that a client becomes retail whose accounts have a credit (SQLSTATE TW060).';
CREATE TRIGGER retail_users_have_no_credit
    AFTER UPDATE OF client_class ON users
    FOR EACH ROW WHEN (NEW.client_class = 'retail' AND OLD.client_class <> 'retail')
    EXECUTE FUNCTION retail_users_have_no_credit();

-- An order that names a position, and a pairing of two, stay within one account and symbol.
CREATE FUNCTION closing_orders_are_of_their_position() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    PERFORM
    FROM orders AS o
    JOIN positions AS p ON p.account_id = o.account_id AND p.symbol = o.symbol
    WHERE o.id = NEW.order_id AND p.id = NEW.position_id;
    IF NOT FOUND THEN
        RAISE foreign_key_violation USING
            MESSAGE = format('order "%s" names position "%s", which is not of its account and symbol', NEW.order_id, NEW.position_id),
            TABLE = TG_TABLE_NAME,
            CONSTRAINT = 'closing_orders_position_exists';
    END IF;
    RETURN NULL;
END;
$$;
COMMENT ON FUNCTION closing_orders_are_of_their_position() IS 'Trigger of closing_orders: the position is of the order''s account and symbol.';
CREATE TRIGGER closing_orders_are_of_their_position
    AFTER INSERT ON closing_orders
    FOR EACH ROW EXECUTE FUNCTION closing_orders_are_of_their_position();

CREATE FUNCTION position_amendments_are_of_their_position() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    PERFORM
    FROM positions AS p
    WHERE p.id = NEW.position_id AND p.account_id = NEW.account_id AND p.version >= NEW.position_version;
    IF NOT FOUND THEN
        RAISE foreign_key_violation USING
            MESSAGE = format('an amendment of position "%s" is of another account, or of a trade that it has not had', NEW.position_id),
            TABLE = TG_TABLE_NAME,
            CONSTRAINT = 'position_amendments_position_exists';
    END IF;
    RETURN NULL;
END;
$$;
COMMENT ON FUNCTION position_amendments_are_of_their_position() IS 'Trigger of position_amendments: the position is of the account, and has had the trade that it names.';
CREATE TRIGGER position_amendments_are_of_their_position
    AFTER INSERT ON position_amendments
    FOR EACH ROW EXECUTE FUNCTION position_amendments_are_of_their_position();

-- Asked only by a statement that writes the column: a batch without an amendment has none.
CREATE FUNCTION positions_are_amended_by_record() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    PERFORM
    FROM position_amendments AS m
    JOIN positions AS p ON p.id = m.position_id
    WHERE m.id = NEW.amended_by AND p.account_id = NEW.account_id AND p.symbol = NEW.symbol;
    IF NOT FOUND THEN
        RAISE EXCEPTION USING
            ERRCODE = 'TW083',
            MESSAGE = format('position "%s" cannot be amended without its record', NEW.id),
            DETAIL = 'What a client changes of stop-loss and take-profit is a row of position_amendments, of the same account and symbol.',
            HINT = 'Write the amendment first; better, let the engine do it.',
            TABLE = TG_TABLE_NAME;
    END IF;
    RETURN NEW;
END;
$$;
COMMENT ON FUNCTION positions_are_amended_by_record() IS 'Trigger of positions: refuses the mark of an amendment that is not recorded (SQLSTATE TW083).';
CREATE TRIGGER positions_are_amended_by_record
    BEFORE UPDATE OF amended_by ON positions
    FOR EACH ROW WHEN (OLD.amended_by IS DISTINCT FROM NEW.amended_by)
    EXECUTE FUNCTION positions_are_amended_by_record();

CREATE FUNCTION close_bys_are_of_one_account() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    PERFORM
    FROM positions AS p
    JOIN positions AS o ON o.account_id = p.account_id AND o.symbol = p.symbol
    WHERE p.id = NEW.position_id AND o.id = NEW.by_position_id AND p.account_id = NEW.account_id;
    IF NOT FOUND THEN
        RAISE foreign_key_violation USING
            MESSAGE = format('positions "%s" and "%s" are not of one account and symbol', NEW.position_id, NEW.by_position_id),
            TABLE = TG_TABLE_NAME,
            CONSTRAINT = 'close_bys_position_exists';
    END IF;
    RETURN NULL;
END;
$$;
COMMENT ON FUNCTION close_bys_are_of_one_account() IS 'Trigger of close_bys: both positions are of the account and of one symbol.';
CREATE TRIGGER close_bys_are_of_one_account
    AFTER INSERT ON close_bys
    FOR EACH ROW EXECUTE FUNCTION close_bys_are_of_one_account();

-- What others refer to is never deleted and keeps its key.
CREATE TRIGGER users_are_kept
    BEFORE DELETE OR TRUNCATE ON users
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER users_keep_their_key
    BEFORE UPDATE OF id ON users
    FOR EACH ROW WHEN (OLD.id IS DISTINCT FROM NEW.id)
    EXECUTE FUNCTION refuse_new_key();
CREATE TRIGGER instruments_are_kept
    BEFORE DELETE OR TRUNCATE ON instruments
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER instruments_keep_their_key
    BEFORE UPDATE OF id, symbol ON instruments
    FOR EACH ROW WHEN ((OLD.id, OLD.symbol) IS DISTINCT FROM (NEW.id, NEW.symbol))
    EXECUTE FUNCTION refuse_new_key();
CREATE TRIGGER account_groups_are_kept
    BEFORE DELETE OR TRUNCATE ON account_groups
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER account_groups_keep_their_key
    BEFORE UPDATE OF id, code ON account_groups
    FOR EACH ROW WHEN ((OLD.id, OLD.code) IS DISTINCT FROM (NEW.id, NEW.code))
    EXECUTE FUNCTION refuse_new_key();
CREATE TRIGGER accounts_are_kept
    BEFORE DELETE OR TRUNCATE ON accounts
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TRIGGER order_replacements_are_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON order_replacements
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER position_amendments_are_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON position_amendments
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER order_events_are_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON order_events
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER order_fills_are_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON order_fills
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER swap_terms_are_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON swap_terms
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER trading_days_are_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON trading_days
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER past_swap_freedoms_are_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON past_swap_freedoms
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER past_account_groups_are_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON past_account_groups
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER position_rollovers_are_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON position_rollovers
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER closing_orders_are_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON closing_orders
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER opening_rates_are_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON opening_rates
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER close_bys_are_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON close_bys
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER trades_are_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON trades
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER engines_are_kept
    BEFORE DELETE OR TRUNCATE ON engines
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER turns_are_kept
    BEFORE DELETE OR TRUNCATE ON turns
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER turns_keep_their_key
    BEFORE UPDATE OF name ON turns
    FOR EACH ROW WHEN (OLD.name IS DISTINCT FROM NEW.name)
    EXECUTE FUNCTION refuse_new_key();
CREATE TRIGGER orders_are_kept
    BEFORE DELETE OR TRUNCATE ON orders
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER positions_are_kept
    BEFORE DELETE OR TRUNCATE ON positions
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER orders_keep_their_key
    BEFORE UPDATE OF id, account_id, client_order_id, symbol, side ON orders
    FOR EACH ROW WHEN (
        (OLD.id, OLD.account_id, OLD.client_order_id, OLD.symbol, OLD.side)
        IS DISTINCT FROM (NEW.id, NEW.account_id, NEW.client_order_id, NEW.symbol, NEW.side)
    )
    EXECUTE FUNCTION refuse_new_key();
CREATE TRIGGER positions_keep_their_key
    BEFORE UPDATE OF id, account_id, symbol, position_mode ON positions
    FOR EACH ROW WHEN (
        (OLD.id, OLD.account_id, OLD.symbol, OLD.position_mode)
        IS DISTINCT FROM (NEW.id, NEW.account_id, NEW.symbol, NEW.position_mode)
    )
    EXECUTE FUNCTION refuse_new_key();
CREATE TRIGGER accounts_keep_their_key
    BEFORE UPDATE OF id, user_id, currency ON accounts
    FOR EACH ROW WHEN ((OLD.id, OLD.user_id, OLD.currency) IS DISTINCT FROM (NEW.id, NEW.user_id, NEW.currency))
    EXECUTE FUNCTION refuse_new_key();
CREATE TRIGGER ledger_holders_are_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_holders
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TABLE audit_seals (
    seq bigint
        CONSTRAINT audit_seals_pkey PRIMARY KEY
        CONSTRAINT audit_seals_seq_positive CHECK (seq > 0),
    from_txid bigint
        CONSTRAINT audit_seals_from_txid_present NOT NULL,
    to_txid bigint
        CONSTRAINT audit_seals_to_txid_present NOT NULL,
    row_count bigint
        CONSTRAINT audit_seals_row_count_present NOT NULL
        CONSTRAINT audit_seals_row_count_positive CHECK (row_count > 0),
    digest bytea
        CONSTRAINT audit_seals_digest_present NOT NULL
        CONSTRAINT audit_seals_digest_is_sha256 CHECK (length(digest) = 32),
    head bytea
        CONSTRAINT audit_seals_head_present NOT NULL
        CONSTRAINT audit_seals_head_is_sha256 CHECK (length(head) = 32),
    sealed_at timestamptz DEFAULT clock_timestamp()
        CONSTRAINT audit_seals_sealed_at_present NOT NULL,
    CONSTRAINT audit_seals_range_not_empty CHECK (from_txid < to_txid)
);
COMMENT ON TABLE audit_seals IS 'Chain of digests over audit_log: each seal covers the rows of a range of transactions and the seal before it.';
COMMENT ON COLUMN audit_seals.to_txid IS 'Upper bound, exclusive: no transaction below it was still running when the seal was made.';
COMMENT ON COLUMN audit_seals.head IS 'sha256 of the head before, the digest, the seal''s figures and its time; export it to a place that this server cannot write.';
CREATE TRIGGER audit_seals_are_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_seals
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE FUNCTION audit_seal_head(p_before bytea, p_seal audit_seals) RETURNS bytea
LANGUAGE sql STABLE AS $$
    SELECT sha256('\x05'::bytea || coalesce(p_before, ''::bytea) || p_seal.digest || convert_to(
        concat_ws(
            '|',
            p_seal.seq,
            p_seal.from_txid,
            p_seal.to_txid,
            p_seal.row_count,
            to_char(p_seal.sealed_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
        ),
        'UTF8'
    ))
$$;
COMMENT ON FUNCTION audit_seal_head(bytea, audit_seals) IS 'sha256 that chains a seal of the audit log to the one before, with when it was made.';

-- sha256 of an audit row, given as to_jsonb makes it in UTC; operations/archive/rows.py says the same in Python.
CREATE FUNCTION audit_row_hash(p_row jsonb) RETURNS bytea
LANGUAGE sql STABLE AS $$
    SELECT sha256('\x00'::bytea || convert_to(p_row::text, 'UTF8'))
$$;
COMMENT ON FUNCTION audit_row_hash(jsonb) IS 'sha256 of what an audit row says.';

-- How long the audit log is kept. Orders and transactions five years: Regulation (EU) 600/2014, article
-- 25(1), which no setting goes below; up to seven where the regulator asks for it: Directive 2014/65/EU,
-- article 16(7).
CREATE TABLE audit_retention (
    id uuid DEFAULT uuidv7()
        CONSTRAINT audit_retention_pkey PRIMARY KEY,
    is_only boolean DEFAULT true
        CONSTRAINT audit_retention_is_only_present NOT NULL
        CONSTRAINT audit_retention_is_one_row CHECK (is_only)
        CONSTRAINT audit_retention_once UNIQUE,
    months_online integer DEFAULT 36
        CONSTRAINT audit_retention_months_online_present NOT NULL
        CONSTRAINT audit_retention_months_online_in_range CHECK (months_online BETWEEN 1 AND 600),
    months_total integer DEFAULT 84
        CONSTRAINT audit_retention_months_total_present NOT NULL
        CONSTRAINT audit_retention_months_total_in_range CHECK (months_total BETWEEN 60 AND 1200),
    grace_days integer DEFAULT 30
        CONSTRAINT audit_retention_grace_days_present NOT NULL
        CONSTRAINT audit_retention_grace_days_in_range CHECK (grace_days BETWEEN 0 AND 365),
    revision integer DEFAULT 1
        CONSTRAINT audit_retention_revision_present NOT NULL
        CONSTRAINT audit_retention_revision_positive CHECK (revision > 0),
    updated_at timestamptz DEFAULT clock_timestamp()
        CONSTRAINT audit_retention_updated_at_present NOT NULL,
    CONSTRAINT audit_retention_total_beyond_online CHECK (months_total > months_online)
);
COMMENT ON TABLE audit_retention IS 'How long rows of audit_log stay at hand, how long they are kept in all, and how long a detached month waits.';
COMMENT ON COLUMN audit_retention.months_online IS 'Whole months before the running one that stay in audit_log.';
COMMENT ON COLUMN audit_retention.months_total IS 'Months after its end for which a month is kept, online and archived together.';
COMMENT ON COLUMN audit_retention.grace_days IS 'Days between the detaching of an archived month and the dropping of its table.';
CREATE TRIGGER audit_retention_count_revision
    BEFORE UPDATE ON audit_retention
    FOR EACH ROW EXECUTE FUNCTION count_revision();
CREATE TRIGGER audit_retention_is_audited
    AFTER INSERT OR UPDATE OR DELETE ON audit_retention
    FOR EACH ROW EXECUTE FUNCTION audit_row_change();
ALTER TABLE audit_retention ENABLE ALWAYS TRIGGER audit_retention_is_audited;
CREATE TRIGGER audit_retention_is_kept
    BEFORE DELETE OR TRUNCATE ON audit_retention
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
INSERT INTO audit_retention DEFAULT VALUES;

CREATE TABLE audit_holds (
    id uuid DEFAULT uuidv7()
        CONSTRAINT audit_holds_pkey PRIMARY KEY,
    from_month date
        CONSTRAINT audit_holds_from_month_is_a_month CHECK (extract(day FROM from_month) = 1),
    to_month date
        CONSTRAINT audit_holds_to_month_is_a_month CHECK (extract(day FROM to_month) = 1),
    actor text
        CONSTRAINT audit_holds_actor_present NOT NULL
        CONSTRAINT audit_holds_actor_not_empty CHECK (btrim(actor) <> ''),
    reason text
        CONSTRAINT audit_holds_reason_present NOT NULL
        CONSTRAINT audit_holds_reason_not_empty CHECK (btrim(reason) <> ''),
    held_at timestamptz DEFAULT clock_timestamp()
        CONSTRAINT audit_holds_held_at_present NOT NULL,
    lifted_by text
        CONSTRAINT audit_holds_lifted_by_not_empty CHECK (btrim(lifted_by) <> ''),
    lift_reason text
        CONSTRAINT audit_holds_lift_reason_not_empty CHECK (btrim(lift_reason) <> ''),
    lifted_at timestamptz,
    revision integer DEFAULT 1
        CONSTRAINT audit_holds_revision_present NOT NULL
        CONSTRAINT audit_holds_revision_positive CHECK (revision > 0),
    updated_at timestamptz DEFAULT clock_timestamp()
        CONSTRAINT audit_holds_updated_at_present NOT NULL,
    CONSTRAINT audit_holds_months_in_order CHECK (from_month <= to_month),
    CONSTRAINT audit_holds_lifted_by_somebody_for_a_reason CHECK (
        num_nonnulls(lifted_by, lift_reason, lifted_at) IN (0, 3)
    )
);
COMMENT ON TABLE audit_holds IS 'Legal holds: months of audit_log that are neither detached, dropped nor purged until somebody lifts the hold.';
COMMENT ON COLUMN audit_holds.from_month IS 'The first month held; empty: from the beginning.';
COMMENT ON COLUMN audit_holds.to_month IS 'The last month held; empty: all that come.';
CREATE TRIGGER audit_holds_count_revision
    BEFORE UPDATE ON audit_holds
    FOR EACH ROW EXECUTE FUNCTION count_revision();
CREATE TRIGGER audit_holds_are_audited
    AFTER INSERT OR UPDATE OR DELETE ON audit_holds
    FOR EACH ROW EXECUTE FUNCTION audit_row_change();
ALTER TABLE audit_holds ENABLE ALWAYS TRIGGER audit_holds_are_audited;
CREATE TRIGGER audit_holds_are_kept
    BEFORE DELETE OR TRUNCATE ON audit_holds
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER audit_holds_are_lifted_once
    BEFORE UPDATE ON audit_holds
    FOR EACH ROW WHEN (
        OLD.lifted_at IS NOT NULL
        OR (OLD.id, OLD.from_month, OLD.to_month, OLD.actor, OLD.reason, OLD.held_at)
        IS DISTINCT FROM (NEW.id, NEW.from_month, NEW.to_month, NEW.actor, NEW.reason, NEW.held_at)
    )
    EXECUTE FUNCTION refuse_new_key();

CREATE TABLE audit_archives (
    id uuid DEFAULT uuidv7()
        CONSTRAINT audit_archives_pkey PRIMARY KEY,
    month date
        CONSTRAINT audit_archives_month_present NOT NULL
        CONSTRAINT audit_archives_month_is_a_month CHECK (extract(day FROM month) = 1)
        CONSTRAINT audit_archives_month_once UNIQUE,
    state text DEFAULT 'written'
        CONSTRAINT audit_archives_state_present NOT NULL
        CONSTRAINT audit_archives_state_known CHECK (
            state IN ('written', 'detaching', 'detached', 'dropped', 'restored', 'purged')
        ),
    row_count bigint
        CONSTRAINT audit_archives_row_count_present NOT NULL
        CONSTRAINT audit_archives_row_count_not_negative CHECK (row_count >= 0),
    first_at timestamptz,
    last_at timestamptz,
    digest bytea
        CONSTRAINT audit_archives_digest_present NOT NULL
        CONSTRAINT audit_archives_digest_is_sha256 CHECK (length(digest) = 32),
    file_bytes bigint
        CONSTRAINT audit_archives_file_bytes_present NOT NULL
        CONSTRAINT audit_archives_file_bytes_positive CHECK (file_bytes > 0),
    file_sha256 bytea
        CONSTRAINT audit_archives_file_sha256_present NOT NULL
        CONSTRAINT audit_archives_file_sha256_is_sha256 CHECK (length(file_sha256) = 32),
    written_at timestamptz DEFAULT clock_timestamp()
        CONSTRAINT audit_archives_written_at_present NOT NULL,
    detached_at timestamptz,
    dropped_at timestamptz,
    purged_at timestamptz,
    kept_until date,
    revision integer DEFAULT 1
        CONSTRAINT audit_archives_revision_present NOT NULL
        CONSTRAINT audit_archives_revision_positive CHECK (revision > 0),
    updated_at timestamptz DEFAULT clock_timestamp()
        CONSTRAINT audit_archives_updated_at_present NOT NULL,
    CONSTRAINT audit_archives_bounds_of_rows CHECK ((row_count = 0) = (first_at IS NULL)),
    CONSTRAINT audit_archives_bounds_both_or_none CHECK (num_nonnulls(first_at, last_at) <> 1),
    CONSTRAINT audit_archives_kept_until_of_restored CHECK (kept_until IS NULL OR state = 'restored')
);
COMMENT ON TABLE audit_archives IS 'Months of audit_log that were written to a file and read back, what the file holds, and where each month stands.';
COMMENT ON COLUMN audit_archives.state IS 'written: beside the table; detaching; detached: the table stands alone; dropped: only the file; restored: in audit_log again; purged: neither.';
COMMENT ON COLUMN audit_archives.digest IS 'sha256 over the digests of blocks of 65,536 rows; that of a block is sha256 over the hashes of its rows, in the order (txid, seq).';
COMMENT ON COLUMN audit_archives.kept_until IS 'Day after which a restored month is archived again; empty: when somebody names it.';
CREATE TRIGGER audit_archives_count_revision
    BEFORE UPDATE ON audit_archives
    FOR EACH ROW EXECUTE FUNCTION count_revision();
CREATE TRIGGER audit_archives_are_audited
    AFTER INSERT OR UPDATE OR DELETE ON audit_archives
    FOR EACH ROW EXECUTE FUNCTION audit_row_change();
ALTER TABLE audit_archives ENABLE ALWAYS TRIGGER audit_archives_are_audited;
CREATE TRIGGER audit_archives_are_kept
    BEFORE DELETE OR TRUNCATE ON audit_archives
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER audit_archives_keep_their_key
    BEFORE UPDATE ON audit_archives
    FOR EACH ROW WHEN (
        (OLD.id, OLD.month, OLD.written_at) IS DISTINCT FROM (NEW.id, NEW.month, NEW.written_at)
        -- Rows that have come late are taken in, as long as the month is there.
        OR (
            NOT (OLD.state IN ('written', 'restored') AND NEW.row_count > OLD.row_count)
            AND (OLD.row_count, OLD.first_at, OLD.last_at, OLD.digest)
            IS DISTINCT FROM (NEW.row_count, NEW.first_at, NEW.last_at, NEW.digest)
        )
        -- A file that was lost is written anew from the table, as long as there is one.
        OR (
            OLD.state IN ('dropped', 'purged')
            AND (OLD.file_bytes, OLD.file_sha256) IS DISTINCT FROM (NEW.file_bytes, NEW.file_sha256)
        )
    )
    EXECUTE FUNCTION refuse_new_key();

-- What the laws need of rows that are not at hand: of each seal the hashes that it was made of, and of each
-- changed row how often it was changed.
CREATE TABLE audit_archive_segments (
    seal_seq bigint
        CONSTRAINT audit_archive_segments_seal_seq_present NOT NULL
        CONSTRAINT audit_archive_segments_seal_exists REFERENCES audit_seals (seq) ON DELETE RESTRICT,
    month date
        CONSTRAINT audit_archive_segments_month_present NOT NULL
        CONSTRAINT audit_archive_segments_archive_exists REFERENCES audit_archives (month) ON DELETE RESTRICT,
    part integer
        CONSTRAINT audit_archive_segments_part_present NOT NULL
        CONSTRAINT audit_archive_segments_part_not_negative CHECK (part >= 0),
    txids bigint[]
        CONSTRAINT audit_archive_segments_txids_present NOT NULL
        CONSTRAINT audit_archive_segments_txids_not_empty CHECK (cardinality(txids) > 0),
    seqs bigint[]
        CONSTRAINT audit_archive_segments_seqs_present NOT NULL,
    row_hashes bytea
        CONSTRAINT audit_archive_segments_row_hashes_present NOT NULL,
    CONSTRAINT audit_archive_segments_pkey PRIMARY KEY (seal_seq, month, part),
    CONSTRAINT audit_archive_segments_one_seq_per_row CHECK (cardinality(seqs) = cardinality(txids)),
    CONSTRAINT audit_archive_segments_one_hash_per_row CHECK (length(row_hashes) = 32 * cardinality(txids))
);
COMMENT ON TABLE audit_archive_segments IS 'The rows of an archived month that a seal covers, by their hashes: append-only.';
COMMENT ON COLUMN audit_archive_segments.part IS 'Counts from 0: what a seal covers is kept some rows at a time, so that nobody must hold all of it.';
COMMENT ON COLUMN audit_archive_segments.txids IS 'Transactions of the rows, in the order (txid, seq) in which a seal digests them.';
COMMENT ON COLUMN audit_archive_segments.row_hashes IS 'sha256 of each row, one after the other.';
CREATE INDEX idx_audit_archive_segments_month
    ON audit_archive_segments (month);
CREATE TRIGGER audit_archive_segments_are_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_archive_segments
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TABLE audit_archive_counts (
    row_id uuid
        CONSTRAINT audit_archive_counts_row_id_present NOT NULL,
    table_name text
        CONSTRAINT audit_archive_counts_table_name_present NOT NULL,
    month date
        CONSTRAINT audit_archive_counts_month_present NOT NULL
        CONSTRAINT audit_archive_counts_archive_exists REFERENCES audit_archives (month) ON DELETE RESTRICT,
    after_seal_seq bigint
        CONSTRAINT audit_archive_counts_after_seal_seq_present NOT NULL
        CONSTRAINT audit_archive_counts_after_seal_seq_not_negative CHECK (after_seal_seq >= 0),
    change_count bigint
        CONSTRAINT audit_archive_counts_change_count_present NOT NULL
        CONSTRAINT audit_archive_counts_change_count_positive CHECK (change_count > 0),
    is_deleted boolean
        CONSTRAINT audit_archive_counts_is_deleted_present NOT NULL,
    CONSTRAINT audit_archive_counts_pkey PRIMARY KEY (row_id, table_name, month, after_seal_seq)
);
COMMENT ON TABLE audit_archive_counts IS 'How often a row was changed in an archived month: append-only.';
COMMENT ON COLUMN audit_archive_counts.after_seal_seq IS '0, or the last seal whose rows had been counted when others came late and were.';
CREATE INDEX idx_audit_archive_counts_month
    ON audit_archive_counts (month);
CREATE TRIGGER audit_archive_counts_are_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_archive_counts
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Archived months of which audit_log shows nothing. It is asked for rows, not for partitions: a statement that
-- began before a month was detached sees by its snapshot what it reads, in the catalog what there is now.
CREATE VIEW audit_months_away AS
SELECT a.month, a.state, a.file_sha256
FROM audit_archives AS a
WHERE NOT EXISTS (
    SELECT
    FROM audit_log AS l
    WHERE l.created_at >= (a.month + interval '0 months') AT TIME ZONE 'UTC'
      AND l.created_at < (a.month + interval '1 month') AT TIME ZONE 'UTC'
);
COMMENT ON VIEW audit_months_away IS 'Archived months whose rows are not in audit_log now.';

-- Every month that has a table or an archive, with where it stands.
CREATE VIEW audit_months AS
SELECT
    coalesce(t.month, a.month) AS month,
    t.table_id,
    coalesce(t.is_attached, false) AS is_attached,
    coalesce(t.is_pending, false) AS is_pending,
    a.state,
    coalesce(t.month, a.month) < date_trunc('month', clock_timestamp() AT TIME ZONE 'UTC') - make_interval(months => r.months_online) AS is_due,
    EXISTS (
        SELECT
        FROM audit_holds AS h
        WHERE h.lifted_at IS NULL
          AND coalesce(h.from_month <= coalesce(t.month, a.month), true)
          AND coalesce(h.to_month >= coalesce(t.month, a.month), true)
    ) AS is_held
FROM (
    SELECT
        to_date(right(c.relname, 7), 'YYYY_MM') AS month,
        c.oid AS table_id,
        i.inhrelid IS NOT NULL AS is_attached,
        i.inhdetachpending AS is_pending
    FROM pg_class AS c
    LEFT JOIN pg_inherits AS i ON i.inhrelid = c.oid AND i.inhparent = 'audit_log'::regclass
    WHERE c.relnamespace = (SELECT p.relnamespace FROM pg_class AS p WHERE p.oid = 'audit_log'::regclass)
      AND c.relkind = 'r'
      AND c.relname ~ '^audit_log_[0-9]{4}_(0[1-9]|1[0-2])$'
) AS t
FULL JOIN audit_archives AS a ON a.month = t.month
CROSS JOIN audit_retention AS r;
COMMENT ON VIEW audit_months IS 'Every month of the audit log that has a table or an archive: whether it is attached, older than the online window, held.';

-- How many rows the table of a month has, and their digest, whether it is attached or not. It goes block by block,
-- so it takes no more memory for a long month; operations/archive/rows.py says the same in Python.
CREATE FUNCTION audit_month_digest(p_month date, OUT row_count bigint, OUT digest bytea)
LANGUAGE plpgsql STABLE
SET search_path FROM CURRENT
SET "TimeZone" = 'UTC'
SET "DateStyle" = 'ISO, YMD' AS $$
BEGIN
    EXECUTE format(
        'SELECT coalesce(sum(b.row_count), 0), sha256(coalesce(string_agg(b.digest, %2$L ORDER BY b.number), %2$L))'
        ' FROM (SELECT n.number / 65536 AS number, count(*) AS row_count,'
        ' sha256(string_agg(n.row_hash, %2$L ORDER BY n.number)) AS digest'
        ' FROM (SELECT row_number() OVER (ORDER BY a.txid, a.seq) - 1 AS number, audit_row_hash(to_jsonb(a)) AS row_hash'
        ' FROM %1$I AS a) AS n GROUP BY n.number / 65536) AS b',
        audit_month_table(p_month), ''::bytea
    ) INTO row_count, digest;
END;
$$;
COMMENT ON FUNCTION audit_month_digest(date) IS 'Row count and digest of a month''s table, in the order of seals.';

CREATE FUNCTION refuse_changed_month(p_month date) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    v_found record;
    v_archive audit_archives;
BEGIN
    SELECT * INTO v_archive FROM audit_archives WHERE month = p_month;
    IF to_regclass(quote_ident(audit_month_table(p_month))) IS NULL THEN
        RAISE EXCEPTION USING
            ERRCODE = 'TW073',
            MESSAGE = format('the table of %s is not there', to_char(p_month, 'YYYY-MM')),
            DETAIL = 'Somebody has dropped it by hand; its rows are in the file of the month.',
            HINT = 'Bring it back from its file with tradewright archive restore.';
    END IF;
    SELECT * INTO v_found FROM audit_month_digest(p_month);
    IF (v_found.row_count, v_found.digest) IS DISTINCT FROM (v_archive.row_count, v_archive.digest) THEN
        RAISE EXCEPTION USING
            ERRCODE = 'TW073',
            MESSAGE = format('the rows of %s are not those that were archived', to_char(p_month, 'YYYY-MM')),
            DETAIL = format('Archived were %s rows, and %s are there; their hashes differ.', v_archive.row_count, v_found.row_count),
            HINT = 'Leave table and file as they are, and find out by tradewright audit verify what was changed.';
    END IF;
END;
$$;
COMMENT ON FUNCTION refuse_changed_month(date) IS 'Refuses to go on with a month whose table holds other rows than its archive, or is gone (SQLSTATE TW073).';

-- Where an archive may go from where it stands, and when. A hold that is being written is waited for, and the
-- next one waits until the step is taken.
CREATE FUNCTION audit_archives_follow_their_steps() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    v_terms audit_retention;
    v_now timestamptz := clock_timestamp();
    v_earliest timestamptz;
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION USING
            ERRCODE = 'TW078',
            MESSAGE = format('month %s cannot become %s in this transaction', to_char(NEW.month, 'YYYY-MM'), NEW.state),
            DETAIL = 'Its snapshot may be older than a hold that stands by now.',
            HINT = 'Take the step in a transaction that is READ COMMITTED.',
            TABLE = TG_TABLE_NAME;
    END IF;
    IF (OLD.state, NEW.state) NOT IN (
        ('written', 'detaching'), ('detaching', 'detached'), ('detached', 'dropped'), ('detached', 'restored'),
        ('dropped', 'restored'), ('restored', 'detaching'), ('dropped', 'purged')
    ) THEN
        RAISE EXCEPTION USING
            ERRCODE = 'TW070',
            MESSAGE = format('month %s is %s and cannot become %s', to_char(NEW.month, 'YYYY-MM'), OLD.state, NEW.state),
            DETAIL = 'A month is written, detached, then dropped and in the end purged; detached and dropped ones may be restored.',
            HINT = 'See where it stands with tradewright archive list.',
            TABLE = TG_TABLE_NAME;
    END IF;
    SELECT * INTO v_terms FROM audit_retention;
    v_earliest := CASE NEW.state
        WHEN 'detaching' THEN (NEW.month + make_interval(months => v_terms.months_online + 1)) AT TIME ZONE 'UTC'
        WHEN 'dropped' THEN OLD.detached_at + make_interval(days => v_terms.grace_days)
        WHEN 'purged' THEN (NEW.month + make_interval(months => v_terms.months_total + 1)) AT TIME ZONE 'UTC'
    END;
    IF v_earliest > v_now THEN
        RAISE EXCEPTION USING
            ERRCODE = 'TW072',
            MESSAGE = format('month %s cannot become %s before %s', to_char(NEW.month, 'YYYY-MM'), NEW.state, to_char(v_earliest AT TIME ZONE 'UTC', 'YYYY-MM-DD')),
            DETAIL = format('It stays online for %s months, detached for %s days, and is kept for %s months in all.', v_terms.months_online, v_terms.grace_days, v_terms.months_total),
            HINT = 'Wait, or see tradewright archive settings.',
            TABLE = TG_TABLE_NAME;
    END IF;
    IF v_earliest IS NOT NULL THEN
        LOCK TABLE audit_holds IN SHARE MODE;
        IF EXISTS (SELECT FROM audit_months AS m WHERE m.month = NEW.month AND m.is_held) THEN
            RAISE EXCEPTION USING
                ERRCODE = 'TW071',
                MESSAGE = format('month %s is held and cannot become %s', to_char(NEW.month, 'YYYY-MM'), NEW.state),
                DETAIL = 'A legal hold keeps it from being detached, dropped and purged.',
                HINT = 'See who holds it, and why, with tradewright archive holds.',
                TABLE = TG_TABLE_NAME;
        END IF;
    END IF;
    NEW.detached_at := CASE NEW.state WHEN 'detached' THEN v_now WHEN 'restored' THEN NULL ELSE OLD.detached_at END;
    NEW.dropped_at := CASE NEW.state WHEN 'dropped' THEN v_now WHEN 'restored' THEN NULL ELSE OLD.dropped_at END;
    NEW.purged_at := CASE NEW.state WHEN 'purged' THEN v_now END;
    RETURN NEW;
END;
$$;
COMMENT ON FUNCTION audit_archives_follow_their_steps() IS 'Trigger of audit_archives: refuses steps out of order (SQLSTATE TW070), of a held month (TW071), before their time (TW072), and in a snapshot that may be older than a hold (TW078).';
CREATE TRIGGER audit_archives_follow_their_steps
    BEFORE UPDATE ON audit_archives
    FOR EACH ROW WHEN (OLD.state <> NEW.state)
    EXECUTE FUNCTION audit_archives_follow_their_steps();

-- The table is locked and read before the step is taken: from the step on nobody can hold a month, and that is not
-- to last for as long as a dump reads the table.
CREATE FUNCTION drop_archived_month(p_month date) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF EXISTS (SELECT FROM audit_months AS m WHERE m.month = p_month AND m.is_attached) THEN
        RAISE EXCEPTION USING
            ERRCODE = 'TW070',
            MESSAGE = format('month %s is attached and cannot be dropped', to_char(p_month, 'YYYY-MM')),
            DETAIL = 'Its archive says that its table was detached, and somebody has attached it since.',
            HINT = 'Detach it again by hand.';
    END IF;
    IF to_regclass(quote_ident(audit_month_table(p_month))) IS NOT NULL THEN
        EXECUTE format('LOCK TABLE %I IN ACCESS EXCLUSIVE MODE', audit_month_table(p_month));
    END IF;
    PERFORM refuse_changed_month(p_month);
    UPDATE audit_archives SET state = 'dropped' WHERE month = p_month;
    EXECUTE format('DROP TABLE %I', audit_month_table(p_month));
END;
$$;
COMMENT ON FUNCTION drop_archived_month(date) IS 'Drops the table of a detached month whose rows are those of its archive, once its time has come.';

CREATE FUNCTION attach_archived_month(p_month date, p_kept_until date) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    UPDATE audit_archives SET state = 'restored', kept_until = p_kept_until WHERE month = p_month;
    IF NOT EXISTS (SELECT FROM audit_months AS m WHERE m.month = p_month AND m.is_attached) THEN
        PERFORM refuse_changed_month(p_month);
        PERFORM attach_audit_month(p_month);
    END IF;
END;
$$;
COMMENT ON FUNCTION attach_archived_month(date, date) IS 'Brings a month back into audit_log whose table holds the rows of its archive; of one that is there, sets until when it stays.';

-- Digest of the audit rows of a range of transactions: sha256 over each row's own sha256, in order; of
-- the first p_rows_max of them by number, where a server that counts anew may have added others. Of archived
-- rows the hashes are kept, by the seal that covers them.
CREATE FUNCTION audit_segment_digest(
    p_from_txid bigint,
    p_to_txid bigint,
    p_rows_max bigint DEFAULT NULL,
    p_seal_seq bigint DEFAULT NULL,
    OUT row_count bigint,
    OUT digest bytea
)
LANGUAGE sql STABLE
SET search_path FROM CURRENT
SET "TimeZone" = 'UTC'
SET "DateStyle" = 'ISO, YMD' AS $$
    WITH covered AS (
        SELECT a.txid, a.seq, audit_row_hash(to_jsonb(a)) AS row_hash
        FROM audit_log AS a
        WHERE a.txid >= p_from_txid AND a.txid < p_to_txid
        UNION ALL
        SELECT u.txid, u.seq, substr(g.row_hashes, (32 * u.n - 31)::integer, 32)
        FROM (
            -- Taken out of its storage once, and not for each row.
            SELECT s.txids, s.seqs, s.row_hashes || ''::bytea AS row_hashes
            FROM audit_archive_segments AS s
            JOIN audit_months_away AS w ON w.month = s.month
            WHERE s.seal_seq = p_seal_seq
            OFFSET 0
        ) AS g
        CROSS JOIN LATERAL unnest(g.txids, g.seqs) WITH ORDINALITY AS u (txid, seq, n)
    )
    SELECT
        count(*),
        sha256(coalesce(string_agg(c.row_hash, ''::bytea ORDER BY c.txid, c.seq), ''::bytea))
    FROM covered AS c
    WHERE p_rows_max IS NULL
       OR c.seq <= (SELECT max(f.seq) FROM (SELECT o.seq FROM covered AS o ORDER BY o.seq LIMIT p_rows_max) AS f)
$$;
COMMENT ON FUNCTION audit_segment_digest(bigint, bigint, bigint, bigint) IS 'Row count and digest of the audit rows whose transaction lies in [from, to), or of the first of them; with those of a seal that are archived.';

-- A seal covers transactions by their numbers. A server into which a dump was restored gives numbers
-- anew, from below those that are sealed: what it writes would stand among what is sealed.
CREATE FUNCTION is_counting_anew(p_sealed_to_txid bigint) RETURNS boolean
LANGUAGE sql STABLE AS $$
    SELECT coalesce(txid_snapshot_xmin(txid_current_snapshot()) < p_sealed_to_txid, false)
$$;
COMMENT ON FUNCTION is_counting_anew(bigint) IS 'Whether this server numbers transactions from below what was sealed: it was restored from a dump.';

CREATE FUNCTION refuse_counting_anew(p_record text, p_sealed_to_txid bigint) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF is_counting_anew(p_sealed_to_txid) THEN
        RAISE EXCEPTION USING
            ERRCODE = 'TW041',
            MESSAGE = format(
                'the %s cannot be sealed: it is sealed up to transaction %s, and this server is at %s',
                p_record, p_sealed_to_txid, txid_snapshot_xmin(txid_current_snapshot())
            ),
            DETAIL = 'The database was restored from a dump into a server that numbers transactions anew.',
            HINT = format(
                'Stop writers, stop the server, run "pg_resetwal --epoch=%s" on its data, and start it: docs/explain/sealed-ledger.md.',
                (p_sealed_to_txid >> 32) + 1
            );
    END IF;
END;
$$;
COMMENT ON FUNCTION refuse_counting_anew(text, bigint) IS 'Refuses to seal on a server whose transactions are numbered from below what was sealed (TW041).';

-- Seals all audit rows whose transactions have ended; returns the number of rows sealed.
CREATE FUNCTION seal_audit_log() RETURNS bigint
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    v_last audit_seals;
    v_new audit_seals;
    v_to bigint;
    v_segment record;
BEGIN
    LOCK TABLE audit_seals IN SHARE ROW EXCLUSIVE MODE;
    SELECT * INTO v_last FROM audit_seals ORDER BY seq DESC LIMIT 1;
    PERFORM refuse_counting_anew('audit log', v_last.to_txid);
    v_to := txid_snapshot_xmin(txid_current_snapshot());
    IF v_to <= coalesce(v_last.to_txid, 0) THEN
        RETURN 0;
    END IF;
    SELECT * INTO v_segment FROM audit_segment_digest(coalesce(v_last.to_txid, 0), v_to);
    IF v_segment.row_count = 0 THEN
        RETURN 0;
    END IF;
    v_new.seq := coalesce(v_last.seq, 0) + 1;
    v_new.from_txid := coalesce(v_last.to_txid, 0);
    v_new.to_txid := v_to;
    v_new.row_count := v_segment.row_count;
    v_new.digest := v_segment.digest;
    v_new.sealed_at := clock_timestamp();
    v_new.head := audit_seal_head(v_last.head, v_new);
    INSERT INTO audit_seals SELECT v_new.*;
    RETURN v_segment.row_count;
END;
$$;
COMMENT ON FUNCTION seal_audit_log() IS 'Adds a seal over the audit rows of all ended transactions; returns how many rows it covers.';

-- Seals over every other append-only table. Nothing is written with their rows: which are new is told by the
-- transaction that wrote each, which the server keeps with the row, and they are looked for where they must
-- stand, at the end of the table. docs/decisions/082 weighs it, docs/explain/sealed-records.md tells the format.
CREATE TABLE record_seals (
    seq bigint
        CONSTRAINT record_seals_pkey PRIMARY KEY
        CONSTRAINT record_seals_seq_positive CHECK (seq > 0),
    to_txid bigint
        CONSTRAINT record_seals_to_txid_present NOT NULL,
    next_txid bigint
        CONSTRAINT record_seals_next_txid_present NOT NULL,
    is_whole boolean
        CONSTRAINT record_seals_is_whole_present NOT NULL,
    row_count bigint
        CONSTRAINT record_seals_row_count_present NOT NULL
        CONSTRAINT record_seals_row_count_not_negative CHECK (row_count >= 0),
    digest bytea
        CONSTRAINT record_seals_digest_present NOT NULL
        CONSTRAINT record_seals_digest_is_sha256 CHECK (length(digest) = 32),
    head bytea
        CONSTRAINT record_seals_head_present NOT NULL
        CONSTRAINT record_seals_head_is_sha256 CHECK (length(head) = 32),
    written_by bigint DEFAULT txid_current()
        CONSTRAINT record_seals_written_by_present NOT NULL,
    sealed_at timestamptz DEFAULT clock_timestamp()
        CONSTRAINT record_seals_sealed_at_present NOT NULL,
    CONSTRAINT record_seals_seal_something CHECK (is_whole OR row_count > 0)
);
COMMENT ON TABLE record_seals IS 'Chain of digests over the append-only tables that no other seal covers: each covers what was committed since the one before, and that seal. Append-only.';
COMMENT ON COLUMN record_seals.to_txid IS 'No transaction below it was still running when the seal was made.';
COMMENT ON COLUMN record_seals.next_txid IS 'No transaction from it on had begun to write when the tables had been read.';
COMMENT ON COLUMN record_seals.is_whole IS 'Whether the tables were read whole for what the seals since the last such one had not met.';
COMMENT ON COLUMN record_seals.head IS 'sha256 of the head before, the digest, the seal''s figures and its time; export it to a place that this server cannot write.';
COMMENT ON COLUMN record_seals.written_by IS 'Transaction that made the seal; where another wrote the row, the database was restored from a dump.';
CREATE TRIGGER record_seals_are_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON record_seals
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TABLE record_seal_segments (
    seal_seq bigint
        CONSTRAINT record_seal_segments_seal_seq_present NOT NULL
        -- The segments are written first, for the seal follows from them.
        CONSTRAINT record_seal_segments_seal_exists REFERENCES record_seals (seq)
            ON DELETE RESTRICT DEFERRABLE INITIALLY DEFERRED,
    table_name text
        CONSTRAINT record_seal_segments_table_name_present NOT NULL,
    part bigint
        CONSTRAINT record_seal_segments_part_present NOT NULL
        CONSTRAINT record_seal_segments_part_not_negative CHECK (part >= 0),
    column_names text[]
        CONSTRAINT record_seal_segments_column_names_present NOT NULL,
    block_count bigint
        CONSTRAINT record_seal_segments_block_count_present NOT NULL,
    row_keys text[]
        CONSTRAINT record_seal_segments_row_keys_present NOT NULL,
    row_hashes bytea[]
        CONSTRAINT record_seal_segments_row_hashes_present NOT NULL,
    CONSTRAINT record_seal_segments_pkey PRIMARY KEY (seal_seq, table_name, part),
    CONSTRAINT record_seal_segments_hash_for_each_key CHECK (cardinality(row_keys) = cardinality(row_hashes))
);
COMMENT ON TABLE record_seal_segments IS 'Rows of one table that a seal covers, at most 65,536, as their keys and hashes. Append-only.';
COMMENT ON COLUMN record_seal_segments.column_names IS 'The columns that the table had; those that came later are not hashed.';
COMMENT ON COLUMN record_seal_segments.block_count IS 'Blocks of the table when it was sealed: where later transactions write.';
COMMENT ON COLUMN record_seal_segments.row_hashes IS 'sha256 of what each row says.';
CREATE INDEX idx_record_seal_segments_table_name_seal_seq
    ON record_seal_segments (table_name, seal_seq);
CREATE TRIGGER record_seal_segments_are_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON record_seal_segments
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Bits of tgtype: 1 row, 8 DELETE, 16 UPDATE, 32 TRUNCATE.
CREATE VIEW append_only_tables AS
SELECT
    c.oid AS table_id,
    c.relname::text AS table_name,
    CASE
        WHEN c.relname = 'audit_log' THEN 'audit_seals'
        WHEN c.relname IN ('balance_ledger', 'transfers') THEN 'ledger_seals'
        WHEN c.relname IN ('audit_seals', 'ledger_seals', 'ledger_seal_segments', 'record_seals', 'record_seal_segments')
            THEN 'its own chain'
        ELSE 'record_seals'
    END AS sealed_by,
    ARRAY(
        SELECT a.attname::text
        FROM pg_index AS i
        CROSS JOIN LATERAL unnest(i.indkey::smallint[]) WITH ORDINALITY AS k (number, place)
        JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = k.number
        WHERE i.indrelid = c.oid AND i.indisprimary
        ORDER BY k.place
    ) AS key_columns,
    ARRAY(
        SELECT a.attname::text
        FROM pg_attribute AS a
        WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
        ORDER BY a.attname
    ) AS column_names,
    EXISTS (
        SELECT
        FROM pg_trigger AS g
        JOIN pg_proc AS p ON p.oid = g.tgfoid
        WHERE g.tgrelid = c.oid AND p.proname = 'refuse_change' AND g.tgtype & 1 = 1
    ) AS is_pruned
FROM pg_class AS c
WHERE c.relnamespace = quote_ident(current_schema())::regnamespace
  AND c.relkind IN ('r', 'p')
  AND NOT c.relispartition
  AND c.relname !~ '^audit_log_[0-9]{4}_[0-9]{2}$'
  AND EXISTS (
      SELECT
      FROM pg_trigger AS g
      JOIN pg_proc AS p ON p.oid = g.tgfoid
      WHERE g.tgrelid = c.oid AND p.proname = 'refuse_change' AND g.tgtype & 56 = 56
  );
COMMENT ON VIEW append_only_tables IS 'Every append-only table, which seals cover it, what its rows are named by, and whether its oldest rows are pruned.';

-- Reads the rows of a table as a seal keeps them, with where each stands and which transaction wrote it.
CREATE FUNCTION record_rows_query(p_table_id regclass, p_key_columns text[], p_column_names text[]) RETURNS text
LANGUAGE sql STABLE AS $$
    SELECT format(
        'SELECT t.ctid AS place, t.xmin::text::bigint AS written_by, concat_ws('','', %s) AS row_key,'
        ' audit_row_hash(to_jsonb(r)) AS row_hash FROM %s AS t CROSS JOIN LATERAL (SELECT %s) AS r',
        (SELECT string_agg(format('t.%I', k.name), ', ' ORDER BY k.place) FROM unnest(p_key_columns) WITH ORDINALITY AS k (name, place)),
        p_table_id,
        (SELECT string_agg(format('t.%I', n.name), ', ') FROM unnest(p_column_names) AS n (name))
    )
$$;
COMMENT ON FUNCTION record_rows_query(regclass, text[], text[]) IS 'Text of a query that reads a table''s rows as their keys and hashes.';

CREATE FUNCTION record_segment_hash(p_segment record_seal_segments) RETURNS bytea
LANGUAGE sql STABLE AS $$
    SELECT sha256(
        '\x06'::bytea
        || convert_to(
            concat_ws(
                '|', p_segment.table_name, p_segment.part, array_to_string(p_segment.column_names, ','),
                p_segment.block_count, cardinality(p_segment.row_keys), array_to_string(p_segment.row_keys, '|')
            ),
            'UTF8'
        )
        || (SELECT coalesce(string_agg(h.row_hash, ''::bytea ORDER BY h.place), ''::bytea) FROM unnest(p_segment.row_hashes) WITH ORDINALITY AS h (row_hash, place))
    )
$$;
COMMENT ON FUNCTION record_segment_hash(record_seal_segments) IS 'sha256 of a segment: of which table, which columns, and the keys and hashes of its rows.';

CREATE FUNCTION record_seal_head(p_before bytea, p_seal record_seals) RETURNS bytea
LANGUAGE sql STABLE AS $$
    SELECT sha256('\x08'::bytea || coalesce(p_before, ''::bytea) || p_seal.digest || convert_to(
        concat_ws(
            '|',
            p_seal.seq,
            p_seal.to_txid,
            p_seal.next_txid,
            p_seal.is_whole,
            p_seal.row_count,
            p_seal.written_by,
            to_char(p_seal.sealed_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
        ),
        'UTF8'
    ))
$$;
COMMENT ON FUNCTION record_seal_head(bytea, record_seals) IS 'sha256 that chains a seal of the records to the one before, with when it was made.';

-- Seals the rows of one table that the transactions from p_from_txid up to p_to_txid, exclusive, have written. Of
-- its transaction a row has the lower 32 bits of the number; what is 3 thousand millions behind is taken for what is
-- ahead. They stand where the table ended when none of those transactions had begun, or in blocks shortly before, which had
-- room. Or the table is read whole, and keys that the seals after p_after_seq name are left out.
CREATE FUNCTION seal_records_of(
    p_seal_seq bigint,
    p_table append_only_tables,
    p_from_txid bigint,
    p_to_txid bigint,
    p_after_seq bigint
) RETURNS bigint
LANGUAGE plpgsql
SET search_path FROM CURRENT
SET "TimeZone" = 'UTC'
SET "DateStyle" = 'ISO, YMD'
SET "IntervalStyle" = 'iso_8601'
SET extra_float_digits = 1
SET bytea_output = 'hex' AS $$
DECLARE
    v_blocks bigint := pg_relation_size(p_table.table_id) / current_setting('block_size')::bigint;
    v_from_block bigint;
    v_count bigint;
BEGIN
    IF p_after_seq IS NULL THEN
        SELECT g.block_count - 64
        INTO v_from_block
        FROM record_seal_segments AS g
        JOIN record_seals AS s ON s.seq = g.seal_seq
        WHERE g.table_name = p_table.table_name AND g.part = 0 AND s.next_txid <= p_from_txid
        ORDER BY g.seal_seq DESC
        LIMIT 1;
    END IF;
    EXECUTE format(
        'INSERT INTO record_seal_segments (seal_seq, table_name, part, column_names, block_count, row_keys, row_hashes)'
        ' SELECT $1, $2, n.number / 65536, $3, $4, array_agg(n.row_key ORDER BY n.number), array_agg(n.row_hash ORDER BY n.number)'
        ' FROM (SELECT row_number() OVER (ORDER BY f.row_key) - 1 AS number, f.row_key, f.row_hash FROM (%s) AS f'
        ' WHERE f.place >= $5 AND ($6 - 1 - f.written_by) & 4294967295 < $7%s) AS n GROUP BY n.number / 65536',
        record_rows_query(p_table.table_id, p_table.key_columns, p_table.column_names),
        CASE WHEN p_after_seq IS NOT NULL THEN
            ' AND NOT EXISTS (SELECT FROM (SELECT unnest(s.row_keys) AS row_key FROM record_seal_segments AS s'
            ' WHERE s.table_name = $2 AND s.seal_seq > $8) AS k WHERE k.row_key = f.row_key)'
        ELSE '' END
    ) USING
        p_seal_seq, p_table.table_name, p_table.column_names, v_blocks,
        format('(%s,0)', CASE WHEN v_from_block BETWEEN 0 AND v_blocks THEN v_from_block ELSE 0 END)::tid,
        p_to_txid, least(p_to_txid - p_from_txid, 3221225472), p_after_seq;
    SELECT coalesce(sum(cardinality(s.row_keys)), 0)
    INTO v_count
    FROM record_seal_segments AS s
    WHERE s.seal_seq = p_seal_seq AND s.table_name = p_table.table_name;
    RETURN v_count;
END;
$$;
COMMENT ON FUNCTION seal_records_of(bigint, append_only_tables, bigint, bigint, bigint) IS 'Adds the segments of one table to a seal of the records; returns how many rows they cover.';

-- Seals the rows of all ended transactions; returns how many. Once a day, or when it is told to, the tables are
-- read whole: a row may stand in room that an aborted transaction has left behind, or have waited for long. In a database
-- that was restored from a dump each row was written by the restore, so keys alone tell what is sealed.
CREATE FUNCTION seal_records(p_is_whole boolean DEFAULT false) RETURNS bigint
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    v_last record_seals;
    v_whole record_seals;
    v_new record_seals;
    v_is_copy boolean;
    v_table append_only_tables;
BEGIN
    LOCK TABLE record_seals IN SHARE ROW EXCLUSIVE MODE;
    SELECT * INTO v_last FROM record_seals ORDER BY seq DESC LIMIT 1;
    SELECT * INTO v_whole FROM record_seals WHERE is_whole ORDER BY seq DESC LIMIT 1;
    SELECT coalesce(bool_or(s.xmin::text::bigint <> s.written_by & 4294967295), false)
    INTO v_is_copy
    FROM record_seals AS s
    WHERE s.seq = v_last.seq;
    v_new.seq := coalesce(v_last.seq, 0) + 1;
    v_new.sealed_at := clock_timestamp();
    v_new.written_by := txid_current();
    v_new.to_txid := txid_snapshot_xmin(txid_current_snapshot());
    v_new.is_whole := p_is_whole OR v_is_copy OR coalesce(v_whole.sealed_at < v_new.sealed_at - interval '1 day', true);
    v_new.row_count := 0;
    IF v_is_copy THEN
        v_whole := NULL;
    END IF;
    FOR v_table IN SELECT * FROM append_only_tables AS t WHERE t.sealed_by = 'record_seals' ORDER BY t.table_name LOOP
        v_new.row_count := v_new.row_count + seal_records_of(
            v_new.seq,
            v_table,
            CASE WHEN v_new.is_whole THEN coalesce(v_whole.to_txid, 0) ELSE v_last.to_txid END,
            v_new.to_txid,
            CASE WHEN v_new.is_whole THEN coalesce(v_whole.seq, 0) END
        );
    END LOOP;
    IF v_new.row_count = 0 AND NOT v_new.is_whole THEN
        RETURN 0;
    END IF;
    v_new.next_txid := txid_snapshot_xmax(txid_current_snapshot());
    SELECT sha256('\x07'::bytea || coalesce(string_agg(record_segment_hash(s), ''::bytea ORDER BY s.table_name, s.part), ''::bytea))
    INTO v_new.digest
    FROM record_seal_segments AS s
    WHERE s.seal_seq = v_new.seq;
    v_new.head := record_seal_head(v_last.head, v_new);
    INSERT INTO record_seals SELECT v_new.*;
    RETURN v_new.row_count;
END;
$$;
COMMENT ON FUNCTION seal_records(boolean) IS 'Adds a seal over the rows of all ended transactions in append-only tables; returns how many it covers.';

-- Every sealed row that no longer says what was sealed, or is gone; of tables that are pruned a row may go.
CREATE FUNCTION record_faults() RETURNS TABLE (seq bigint, table_name text, row_key text, fault text)
LANGUAGE plpgsql STABLE
SET search_path FROM CURRENT
SET "TimeZone" = 'UTC'
SET "DateStyle" = 'ISO, YMD'
SET "IntervalStyle" = 'iso_8601'
SET extra_float_digits = 1
SET bytea_output = 'hex' AS $$
#variable_conflict use_column
DECLARE
    v_form record;
BEGIN
    FOR v_form IN
        SELECT s.table_name, s.column_names, min(s.seal_seq) AS seal_seq, t.table_id, t.key_columns, t.is_pruned, t.column_names AS found_columns
        FROM record_seal_segments AS s
        LEFT JOIN append_only_tables AS t ON t.table_name = s.table_name
        GROUP BY s.table_name, s.column_names, t.table_id, t.key_columns, t.is_pruned, t.column_names
    LOOP
        IF (v_form.column_names <@ v_form.found_columns) IS NOT TRUE THEN
            seq := v_form.seal_seq;
            table_name := v_form.table_name;
            fault := 'form';
            RETURN NEXT;
            CONTINUE;
        END IF;
        RETURN QUERY EXECUTE format(
            'SELECT w.seal_seq, $1, w.row_key, CASE WHEN f.row_hash IS NULL THEN %L ELSE %L END'
            ' FROM (SELECT s.seal_seq, u.row_key, u.row_hash FROM record_seal_segments AS s'
            ' CROSS JOIN LATERAL unnest(s.row_keys, s.row_hashes) AS u (row_key, row_hash)'
            ' WHERE s.table_name = $1 AND s.column_names = $2) AS w'
            ' LEFT JOIN (%s) AS f ON f.row_key = w.row_key'
            ' WHERE f.row_hash IS DISTINCT FROM w.row_hash AND NOT ($3 AND f.row_hash IS NULL)',
            'deleted', 'changed', record_rows_query(v_form.table_id, v_form.key_columns, v_form.column_names)
        ) USING v_form.table_name, v_form.column_names, v_form.is_pruned;
    END LOOP;
END;
$$;
COMMENT ON FUNCTION record_faults() IS 'The sealed rows of append-only tables that were changed or are gone, by seal, table and key.';
