-- 005: what may be traded and when, what an account may risk, and what was done when it risked more.

-- What changes rarely is read by an engine once and kept in memory: instruments, their sessions,
-- groups, limits. Each change counts this version up, and each batch looks at it.
CREATE TABLE reference_version (
    is_only boolean DEFAULT true
        CONSTRAINT reference_version_pkey PRIMARY KEY
        CONSTRAINT reference_version_is_one_row CHECK (is_only),
    version bigint
        CONSTRAINT reference_version_version_present NOT NULL
        CONSTRAINT reference_version_version_positive CHECK (version > 0)
);
COMMENT ON TABLE reference_version IS 'How often what engines keep in memory has changed: one row, counted up by trigger.';
INSERT INTO reference_version (version) VALUES (1);

-- Waits for the batches that are being booked and lets no other begin before this transaction ends:
-- once a change is committed, nothing is booked any more under what was before. The lock is one of the
-- table, which waits its turn, so that batches without end cannot keep a halt out; and which whoever may
-- only read cannot take, as anybody could an advisory lock.
CREATE FUNCTION count_reference_version() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    LOCK TABLE reference_version IN SHARE ROW EXCLUSIVE MODE;
    UPDATE reference_version SET version = version + 1 WHERE is_only;
    RETURN NULL;
END;
$$;
COMMENT ON FUNCTION count_reference_version() IS 'Trigger of what engines keep in memory: makes them read it again with their next batch.';

CREATE FUNCTION hold_reference_version() RETURNS bigint
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    LOCK TABLE reference_version IN ROW EXCLUSIVE MODE;
    RETURN (SELECT version FROM reference_version);
END;
$$;
COMMENT ON FUNCTION hold_reference_version() IS 'Returns the version of the reference data and keeps it until the transaction ends.';

CREATE TRIGGER engines_count_reference
    AFTER INSERT OR UPDATE ON engines
    FOR EACH STATEMENT EXECUTE FUNCTION count_reference_version();
-- Before, so that a day ends by the clock when no batch is being booked any more.
CREATE TRIGGER trading_days_count_reference
    BEFORE INSERT ON trading_days
    FOR EACH STATEMENT EXECUTE FUNCTION count_reference_version();
CREATE TRIGGER instruments_count_reference
    AFTER INSERT OR UPDATE ON instruments
    FOR EACH STATEMENT EXECUTE FUNCTION count_reference_version();
CREATE TRIGGER liquidity_providers_count_reference
    AFTER INSERT OR UPDATE ON liquidity_providers
    FOR EACH STATEMENT EXECUTE FUNCTION count_reference_version();
CREATE TRIGGER commission_terms_count_reference
    AFTER INSERT OR UPDATE OR DELETE ON commission_terms
    FOR EACH STATEMENT EXECUTE FUNCTION count_reference_version();
CREATE TRIGGER account_groups_count_reference
    AFTER INSERT OR UPDATE ON account_groups
    FOR EACH STATEMENT EXECUTE FUNCTION count_reference_version();
CREATE TRIGGER routing_policies_count_reference
    AFTER INSERT OR UPDATE OR DELETE ON routing_policies
    FOR EACH STATEMENT EXECUTE FUNCTION count_reference_version();
CREATE TRIGGER routing_rules_count_reference
    AFTER INSERT OR UPDATE OR DELETE ON routing_rules
    FOR EACH STATEMENT EXECUTE FUNCTION count_reference_version();
CREATE TRIGGER routing_overrides_count_reference
    AFTER INSERT OR UPDATE OR DELETE ON routing_overrides
    FOR EACH STATEMENT EXECUTE FUNCTION count_reference_version();

CREATE FUNCTION trading_day_over(p_at timestamptz) RETURNS date
LANGUAGE sql STABLE AS $$
    SELECT ((p_at AT TIME ZONE 'America/New_York') + interval '7 hours')::date - 1
$$;
COMMENT ON FUNCTION trading_day_over(timestamptz) IS 'The last day whose 17:00 in New York is not after an instant.';

-- By the clock, also where no engine has run to say so. Where no day was ever said to have ended on its
-- time, the house's market is that of recorded quotes, and only the record counts.
CREATE FUNCTION last_day_over() RETURNS date
LANGUAGE sql SET search_path FROM CURRENT AS $$
    SELECT CASE
        WHEN bool_or(ended_on = trading_day_over(ended_at))
            THEN greatest(max(ended_on), trading_day_over(clock_timestamp()))
        ELSE max(ended_on)
    END
    FROM trading_days
$$;
COMMENT ON FUNCTION last_day_over() IS 'The last day that has ended at 17:00 in New York, whether an engine has said so or not; NULL before the first batch.';

-- Waits for the batches that are being booked, as count_reference_version does after it: none of them ends
-- a day between what is read here and the change.
CREATE FUNCTION keep_past_swap_freedom() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    LOCK TABLE reference_version IN SHARE ROW EXCLUSIVE MODE;
    INSERT INTO past_swap_freedoms (group_code, through_on, is_swap_free)
    SELECT OLD.code, d.day, OLD.is_swap_free
    FROM last_day_over() AS d (day)
    WHERE d.day IS NOT NULL
    ON CONFLICT (group_code, through_on) DO NOTHING;
    RETURN NULL;
END;
$$;
COMMENT ON FUNCTION keep_past_swap_freedom() IS 'Trigger of account_groups: keeps whether a group was swap-free up to the last day that has ended; a second change before the next end adds nothing.';
CREATE TRIGGER account_groups_keep_past_freedom
    AFTER UPDATE OF is_swap_free ON account_groups
    FOR EACH ROW WHEN (OLD.is_swap_free <> NEW.is_swap_free)
    EXECUTE FUNCTION keep_past_swap_freedom();

-- Whoever rolls an account over holds its lock, as this change does.
CREATE FUNCTION keep_past_account_group() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    INSERT INTO past_account_groups (account_id, through_on, group_code)
    SELECT OLD.id, d.day, OLD.group_code
    FROM last_day_over() AS d (day)
    WHERE d.day IS NOT NULL
    ON CONFLICT (account_id, through_on) DO NOTHING;
    RETURN NULL;
END;
$$;
COMMENT ON FUNCTION keep_past_account_group() IS 'Trigger of accounts: keeps the group that an account was in up to the last day that has ended.';
CREATE TRIGGER accounts_keep_past_group
    AFTER UPDATE OF group_code ON accounts
    FOR EACH ROW WHEN (OLD.group_code <> NEW.group_code)
    EXECUTE FUNCTION keep_past_account_group();

-- What an account binds, and at what level it is called, is its own: engines that watch it look at it
-- again, whoever changes it and in whatever way. News of that are heard within half a second (news.py).
CREATE FUNCTION tell_engines_of_accounts() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF TG_TABLE_NAME = 'accounts' THEN
        PERFORM pg_notify('tradewright_engines', TG_TABLE_SCHEMA || ' ' || json_build_array(NEW.id));
    ELSE
        PERFORM pg_notify('tradewright_engines', TG_TABLE_SCHEMA || ' ' || json_build_array(a.id))
        FROM accounts AS a
        WHERE a.user_id = NEW.id;
    END IF;
    RETURN NULL;
END;
$$;
COMMENT ON FUNCTION tell_engines_of_accounts() IS 'Trigger of accounts and users: lets engines look at accounts that bind another margin than before.';
CREATE TRIGGER accounts_tell_engines
    AFTER UPDATE OF leverage, margin_call_level, stop_out_level, group_code, credit ON accounts
    FOR EACH ROW WHEN (
        (OLD.leverage, OLD.margin_call_level, OLD.stop_out_level, OLD.group_code, OLD.credit)
        IS DISTINCT FROM (NEW.leverage, NEW.margin_call_level, NEW.stop_out_level, NEW.group_code, NEW.credit)
    )
    EXECUTE FUNCTION tell_engines_of_accounts();
CREATE TRIGGER users_tell_engines
    AFTER UPDATE OF client_class ON users
    FOR EACH ROW WHEN (OLD.client_class <> NEW.client_class)
    EXECUTE FUNCTION tell_engines_of_accounts();

CREATE TABLE trading_sessions (
    id uuid DEFAULT uuidv7()
        CONSTRAINT trading_sessions_pkey PRIMARY KEY,
    symbol text
        CONSTRAINT trading_sessions_symbol_present NOT NULL
        CONSTRAINT trading_sessions_instrument_exists REFERENCES instruments (symbol) ON DELETE RESTRICT,
    opens_weekday smallint
        CONSTRAINT trading_sessions_opens_weekday_present NOT NULL
        CONSTRAINT trading_sessions_opens_weekday_is_iso CHECK (opens_weekday BETWEEN 1 AND 7),
    opens_at time
        CONSTRAINT trading_sessions_opens_at_present NOT NULL,
    closes_weekday smallint
        CONSTRAINT trading_sessions_closes_weekday_present NOT NULL
        CONSTRAINT trading_sessions_closes_weekday_is_iso CHECK (closes_weekday BETWEEN 1 AND 7),
    closes_at time
        CONSTRAINT trading_sessions_closes_at_present NOT NULL,
    timezone text
        CONSTRAINT trading_sessions_timezone_present NOT NULL
        CONSTRAINT trading_sessions_timezone_is_a_place CHECK (timezone ~ '^[A-Z][A-Za-z0-9_+-]*(/[A-Z][A-Za-z0-9_+-]*)*$'),
    revision integer DEFAULT 1
        CONSTRAINT trading_sessions_revision_present NOT NULL
        CONSTRAINT trading_sessions_revision_positive CHECK (revision > 0),
    created_at timestamptz DEFAULT clock_timestamp()
        CONSTRAINT trading_sessions_created_at_present NOT NULL,
    updated_at timestamptz DEFAULT clock_timestamp()
        CONSTRAINT trading_sessions_updated_at_present NOT NULL,
    CONSTRAINT trading_sessions_closes_later CHECK ((opens_weekday, opens_at) <> (closes_weekday, closes_at)),
    CONSTRAINT trading_sessions_opens_once UNIQUE (symbol, opens_weekday, opens_at)
);
COMMENT ON TABLE trading_sessions IS 'When an instrument is traded, week after week; one without sessions is traded always.';
COMMENT ON COLUMN trading_sessions.opens_weekday IS 'ISO 8601: Monday is 1, Sunday is 7.';
COMMENT ON COLUMN trading_sessions.closes_at IS 'The first instant at which nothing is traded any more; a session may run over the end of the week.';
COMMENT ON COLUMN trading_sessions.timezone IS 'IANA name, such as America/New_York: the session follows its clocks, summer time included.';
CREATE TRIGGER trading_sessions_count_reference
    AFTER INSERT OR UPDATE OR DELETE ON trading_sessions
    FOR EACH STATEMENT EXECUTE FUNCTION count_reference_version();
CREATE TRIGGER trading_sessions_count_revision
    BEFORE UPDATE ON trading_sessions
    FOR EACH ROW EXECUTE FUNCTION count_revision();
CREATE TRIGGER trading_sessions_are_audited
    AFTER INSERT OR UPDATE OR DELETE ON trading_sessions
    FOR EACH ROW EXECUTE FUNCTION audit_row_change();
ALTER TABLE trading_sessions ENABLE ALWAYS TRIGGER trading_sessions_are_audited;

CREATE TABLE margin_tiers (
    id uuid DEFAULT uuidv7()
        CONSTRAINT margin_tiers_pkey PRIMARY KEY,
    symbol text
        CONSTRAINT margin_tiers_symbol_present NOT NULL
        CONSTRAINT margin_tiers_instrument_exists REFERENCES instruments (symbol) ON DELETE RESTRICT,
    notional_above numeric(20, 8)
        CONSTRAINT margin_tiers_notional_above_present NOT NULL
        CONSTRAINT margin_tiers_notional_above_positive CHECK (notional_above > 0 AND notional_above < 'Infinity'),
    rate numeric(20, 8)
        CONSTRAINT margin_tiers_rate_present NOT NULL
        CONSTRAINT margin_tiers_rate_is_a_share CHECK (rate BETWEEN 0 AND 1),
    revision integer DEFAULT 1
        CONSTRAINT margin_tiers_revision_present NOT NULL
        CONSTRAINT margin_tiers_revision_positive CHECK (revision > 0),
    created_at timestamptz DEFAULT clock_timestamp()
        CONSTRAINT margin_tiers_created_at_present NOT NULL,
    updated_at timestamptz DEFAULT clock_timestamp()
        CONSTRAINT margin_tiers_updated_at_present NOT NULL,
    CONSTRAINT margin_tiers_set_once UNIQUE (symbol, notional_above)
);
COMMENT ON TABLE margin_tiers IS 'Marginal brackets of margin: what of an account''s notional in an instrument is above a threshold binds at least this share, and what is below it does not.';
COMMENT ON COLUMN margin_tiers.notional_above IS 'In units of the base currency; longs and shorts of an account are each added up by themselves.';
COMMENT ON COLUMN margin_tiers.rate IS 'The least share bound from there on; 0: the tier was cleared. A higher tier never binds less than those below it.';
CREATE TRIGGER margin_tiers_count_reference
    AFTER INSERT OR UPDATE OR DELETE ON margin_tiers
    FOR EACH STATEMENT EXECUTE FUNCTION count_reference_version();
CREATE TRIGGER margin_tiers_count_revision
    BEFORE UPDATE ON margin_tiers
    FOR EACH ROW EXECUTE FUNCTION count_revision();
CREATE TRIGGER margin_tiers_are_audited
    AFTER INSERT OR UPDATE OR DELETE ON margin_tiers
    FOR EACH ROW EXECUTE FUNCTION audit_row_change();
ALTER TABLE margin_tiers ENABLE ALWAYS TRIGGER margin_tiers_are_audited;

CREATE TABLE risk_limits (
    id uuid DEFAULT uuidv7()
        CONSTRAINT risk_limits_pkey PRIMARY KEY,
    kind text
        CONSTRAINT risk_limits_kind_present NOT NULL
        CONSTRAINT risk_limits_kind_known CHECK (kind IN (
            'price_collar', 'order_quantity', 'order_value', 'order_size', 'open_orders',
            'open_positions', 'symbol_exposure', 'total_exposure', 'daily_loss', 'drawdown',
            'leverage', 'message_rate', 'net_open_position', 'denial_rate'
        )),
    scope text
        CONSTRAINT risk_limits_scope_present NOT NULL
        CONSTRAINT risk_limits_scope_known CHECK (scope IN ('all', 'group', 'account', 'instrument')),
    group_code text
        CONSTRAINT risk_limits_group_exists REFERENCES account_groups (code) ON DELETE RESTRICT,
    account_id uuid
        CONSTRAINT risk_limits_account_exists REFERENCES accounts (id) ON DELETE RESTRICT,
    symbol text
        CONSTRAINT risk_limits_instrument_exists REFERENCES instruments (symbol) ON DELETE RESTRICT,
    value numeric(20, 8)
        CONSTRAINT risk_limits_value_present NOT NULL
        CONSTRAINT risk_limits_value_not_negative CHECK (value >= 0 AND value < 'Infinity'),
    currency text
        CONSTRAINT risk_limits_currency_exists REFERENCES currencies (code) ON DELETE RESTRICT,
    is_active boolean DEFAULT true
        CONSTRAINT risk_limits_is_active_present NOT NULL,
    revision integer DEFAULT 1
        CONSTRAINT risk_limits_revision_present NOT NULL
        CONSTRAINT risk_limits_revision_positive CHECK (revision > 0),
    created_at timestamptz DEFAULT clock_timestamp()
        CONSTRAINT risk_limits_created_at_present NOT NULL,
    updated_at timestamptz DEFAULT clock_timestamp()
        CONSTRAINT risk_limits_updated_at_present NOT NULL,
    CONSTRAINT risk_limits_scope_names_its_target CHECK (
        (scope = 'group') = (group_code IS NOT NULL)
        AND (scope = 'account') = (account_id IS NOT NULL)
        AND (scope = 'instrument') = (symbol IS NOT NULL)
    ),
    CONSTRAINT risk_limits_money_has_currency CHECK (
        (kind IN ('order_value', 'symbol_exposure', 'total_exposure', 'daily_loss', 'drawdown', 'net_open_position'))
        = (currency IS NOT NULL)
    ),
    CONSTRAINT risk_limits_denials_are_of_accounts CHECK (kind <> 'denial_rate' OR scope <> 'instrument'),
    CONSTRAINT risk_limits_set_once UNIQUE NULLS NOT DISTINCT (kind, scope, group_code, account_id, symbol)
);
COMMENT ON TABLE risk_limits IS 'The most that an account may do; each limit that applies to an order holds, the smallest first of all.';
COMMENT ON COLUMN risk_limits.scope IS 'For whose orders it holds; it is measured for each account by itself.';
COMMENT ON COLUMN risk_limits.value IS 'In the unit of its kind: basis points, units of base currency, money, a multiple, a count; see reference/checks.';
COMMENT ON COLUMN risk_limits.currency IS 'Of a limit in money; it is converted into the account''s at the middle rate.';
COMMENT ON COLUMN risk_limits.is_active IS 'A limit that was cleared stays for the breaches that name it.';
CREATE INDEX idx_risk_limits_group_code
    ON risk_limits (group_code)
    WHERE group_code IS NOT NULL;
CREATE INDEX idx_risk_limits_account_id
    ON risk_limits (account_id)
    WHERE account_id IS NOT NULL;
CREATE INDEX idx_risk_limits_symbol
    ON risk_limits (symbol)
    WHERE symbol IS NOT NULL;
CREATE INDEX idx_risk_limits_currency
    ON risk_limits (currency)
    WHERE currency IS NOT NULL;
CREATE TRIGGER risk_limits_count_reference
    AFTER INSERT OR UPDATE ON risk_limits
    FOR EACH STATEMENT EXECUTE FUNCTION count_reference_version();
CREATE TRIGGER risk_limits_count_revision
    BEFORE UPDATE ON risk_limits
    FOR EACH ROW EXECUTE FUNCTION count_revision();
CREATE TRIGGER risk_limits_are_audited
    AFTER INSERT OR UPDATE OR DELETE ON risk_limits
    FOR EACH ROW EXECUTE FUNCTION audit_row_change();
ALTER TABLE risk_limits ENABLE ALWAYS TRIGGER risk_limits_are_audited;
CREATE TRIGGER risk_limits_are_kept
    BEFORE DELETE OR TRUNCATE ON risk_limits
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TABLE trading_halts (
    id uuid DEFAULT uuidv7()
        CONSTRAINT trading_halts_pkey PRIMARY KEY,
    mode text
        CONSTRAINT trading_halts_mode_present NOT NULL
        CONSTRAINT trading_halts_mode_known CHECK (mode IN ('halted', 'reduce_only')),
    scope text
        CONSTRAINT trading_halts_scope_present NOT NULL
        CONSTRAINT trading_halts_scope_known CHECK (scope IN ('all', 'group', 'account', 'instrument')),
    group_code text
        CONSTRAINT trading_halts_group_exists REFERENCES account_groups (code) ON DELETE RESTRICT,
    account_id uuid
        CONSTRAINT trading_halts_account_exists REFERENCES accounts (id) ON DELETE RESTRICT,
    symbol text
        CONSTRAINT trading_halts_instrument_exists REFERENCES instruments (symbol) ON DELETE RESTRICT,
    set_by text
        CONSTRAINT trading_halts_set_by_present NOT NULL,
    reason text
        CONSTRAINT trading_halts_reason_present NOT NULL,
    set_at timestamptz DEFAULT clock_timestamp()
        CONSTRAINT trading_halts_set_at_present NOT NULL,
    lifted_by text,
    lifted_reason text,
    lifted_at timestamptz
        CONSTRAINT trading_halts_lifted_after_set CHECK (lifted_at >= set_at),
    revision integer DEFAULT 1
        CONSTRAINT trading_halts_revision_present NOT NULL
        CONSTRAINT trading_halts_revision_positive CHECK (revision > 0),
    updated_at timestamptz DEFAULT clock_timestamp()
        CONSTRAINT trading_halts_updated_at_present NOT NULL,
    CONSTRAINT trading_halts_scope_names_its_target CHECK (
        (scope = 'group') = (group_code IS NOT NULL)
        AND (scope = 'account') = (account_id IS NOT NULL)
        AND (scope = 'instrument') = (symbol IS NOT NULL)
    ),
    CONSTRAINT trading_halts_say_who_and_why CHECK (
        btrim(set_by) <> '' AND btrim(reason) <> '' AND btrim(lifted_by) <> '' AND btrim(lifted_reason) <> ''
    ),
    CONSTRAINT trading_halts_lifted_by_somebody CHECK (num_nulls(lifted_at, lifted_by, lifted_reason) IN (0, 3))
);
COMMENT ON TABLE trading_halts IS 'Times in which nothing was opened, for all, a group, an account or in an instrument: the kill switch (RTS 6, article 12).';
COMMENT ON COLUMN trading_halts.set_by IS 'A person; or auto-block, where limits had denied too many orders of an account.';
COMMENT ON COLUMN trading_halts.mode IS 'reduce_only: orders that open are denied; halted: the same, and every order that rested was canceled.';
CREATE UNIQUE INDEX idx_trading_halts_scope_in_force
    ON trading_halts (scope, group_code, account_id, symbol) NULLS NOT DISTINCT
    WHERE lifted_at IS NULL;
CREATE INDEX idx_trading_halts_group_code
    ON trading_halts (group_code)
    WHERE group_code IS NOT NULL;
CREATE INDEX idx_trading_halts_account_id
    ON trading_halts (account_id)
    WHERE account_id IS NOT NULL;
CREATE INDEX idx_trading_halts_symbol
    ON trading_halts (symbol)
    WHERE symbol IS NOT NULL;
CREATE TRIGGER trading_halts_count_reference
    AFTER INSERT OR UPDATE ON trading_halts
    FOR EACH STATEMENT EXECUTE FUNCTION count_reference_version();
CREATE TRIGGER trading_halts_count_revision
    BEFORE UPDATE ON trading_halts
    FOR EACH ROW EXECUTE FUNCTION count_revision();
CREATE TRIGGER trading_halts_are_audited
    AFTER INSERT OR UPDATE OR DELETE ON trading_halts
    FOR EACH ROW EXECUTE FUNCTION audit_row_change();
ALTER TABLE trading_halts ENABLE ALWAYS TRIGGER trading_halts_are_audited;
CREATE TRIGGER trading_halts_are_kept
    BEFORE DELETE OR TRUNCATE ON trading_halts
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TABLE risk_breaches (
    id uuid DEFAULT uuidv7()
        CONSTRAINT risk_breaches_pkey PRIMARY KEY,
    limit_id uuid
        CONSTRAINT risk_breaches_limit_id_present NOT NULL
        CONSTRAINT risk_breaches_limit_exists REFERENCES risk_limits (id) ON DELETE RESTRICT,
    order_id uuid
        CONSTRAINT risk_breaches_order_id_present NOT NULL
        CONSTRAINT risk_breaches_order_exists REFERENCES orders (id) ON DELETE RESTRICT,
    limit_value numeric(20, 8)
        CONSTRAINT risk_breaches_limit_value_present NOT NULL
        CONSTRAINT risk_breaches_limit_value_not_negative CHECK (limit_value >= 0 AND limit_value < 'Infinity'),
    measured numeric(30, 8)
        CONSTRAINT risk_breaches_measured_present NOT NULL
        CONSTRAINT risk_breaches_measured_finite CHECK (measured < 'Infinity'),
    occurred_at timestamptz DEFAULT clock_timestamp()
        CONSTRAINT risk_breaches_occurred_at_present NOT NULL,
    CONSTRAINT risk_breaches_measured_above_limit CHECK (measured > limit_value)
);
COMMENT ON TABLE risk_breaches IS 'Orders that were denied because a limit would have been exceeded. Append-only.';
COMMENT ON COLUMN risk_breaches.limit_value IS 'The limit as it was then; money in the account''s currency.';
COMMENT ON COLUMN risk_breaches.measured IS 'What the order would have made of it.';
CREATE INDEX idx_risk_breaches_limit_id
    ON risk_breaches (limit_id);
CREATE INDEX idx_risk_breaches_order_id
    ON risk_breaches (order_id);
CREATE TRIGGER risk_breaches_are_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON risk_breaches
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Counts and blocks by the record alone, so that an engine can ask for it and say nothing. Who was
-- unblocked begins anew. Nothing is inserted for nobody: that would count the reference version up.
CREATE FUNCTION block_denied_accounts(p_account_ids uuid[]) RETURNS SETOF uuid
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    v_since uuid := uuidv7(interval '-1 minute');
    v_until uuid := uuidv7(interval '1 day');
    v_account_ids uuid[];
    v_reasons text[];
BEGIN
    -- The keys of breaches are in order of time: what is read is a minute of them.
    WITH recent AS MATERIALIZED (
        SELECT o.account_id, b.occurred_at
        FROM risk_breaches AS b
        JOIN orders AS o ON o.id = b.order_id
        WHERE b.id > v_since AND b.id < v_until
    )
    SELECT array_agg(a.id), array_agg(format('limits have denied %s orders within a minute, and %s is the most', d.count, l.value))
    INTO v_account_ids, v_reasons
    FROM accounts AS a
    CROSS JOIN LATERAL (
        SELECT trim_scale(min(r.value)) AS value
        FROM risk_limits AS r
        WHERE r.is_active
          AND r.kind = 'denial_rate'
          AND (r.scope = 'all' OR r.group_code = a.group_code OR r.account_id = a.id)
    ) AS l
    CROSS JOIN LATERAL (
        SELECT count(*) AS count
        FROM recent AS b
        WHERE b.account_id = a.id
          AND b.occurred_at > coalesce(
              (SELECT max(h.lifted_at) FROM trading_halts AS h WHERE h.account_id = a.id),
              '-infinity'
          )
    ) AS d
    WHERE a.id = ANY(p_account_ids)
      AND d.count > l.value
      AND NOT EXISTS (SELECT FROM trading_halts AS h WHERE h.account_id = a.id AND h.lifted_at IS NULL);
    IF v_account_ids IS NULL THEN
        RETURN;
    END IF;
    RETURN QUERY
    INSERT INTO trading_halts (mode, scope, account_id, set_by, reason)
    SELECT 'reduce_only', 'account', n.account_id, 'auto-block', n.reason
    FROM unnest(v_account_ids, v_reasons) AS n (account_id, reason)
    ON CONFLICT (scope, group_code, account_id, symbol) WHERE lifted_at IS NULL DO NOTHING
    RETURNING account_id;
END;
$$;
COMMENT ON FUNCTION block_denied_accounts(uuid[]) IS 'Lets those of the accounts only reduce of which limits have denied more orders within a minute than their denial_rate allows (RTS 6, article 15), until a person resumes them; returns those that it has blocked.';

CREATE TABLE margin_calls (
    id uuid
        CONSTRAINT margin_calls_pkey PRIMARY KEY,
    account_id uuid
        CONSTRAINT margin_calls_account_id_present NOT NULL
        CONSTRAINT margin_calls_account_exists REFERENCES accounts (id) ON DELETE RESTRICT,
    margin_level numeric(20, 4)
        CONSTRAINT margin_calls_margin_level_present NOT NULL
        CONSTRAINT margin_calls_margin_level_finite CHECK (margin_level > '-Infinity' AND margin_level < 'Infinity'),
    equity numeric(20, 8)
        CONSTRAINT margin_calls_equity_present NOT NULL
        CONSTRAINT margin_calls_equity_finite CHECK (equity > '-Infinity' AND equity < 'Infinity'),
    used_margin numeric(20, 8)
        CONSTRAINT margin_calls_used_margin_present NOT NULL
        CONSTRAINT margin_calls_used_margin_positive CHECK (used_margin > 0 AND used_margin < 'Infinity'),
    revision integer DEFAULT 1
        CONSTRAINT margin_calls_revision_present NOT NULL
        CONSTRAINT margin_calls_revision_positive CHECK (revision > 0),
    opened_at timestamptz DEFAULT clock_timestamp()
        CONSTRAINT margin_calls_opened_at_present NOT NULL,
    updated_at timestamptz DEFAULT clock_timestamp()
        CONSTRAINT margin_calls_updated_at_present NOT NULL,
    resolved_at timestamptz
        CONSTRAINT margin_calls_resolved_after_opened CHECK (resolved_at >= opened_at),
    market_at timestamptz
        CONSTRAINT margin_calls_market_at_present NOT NULL,
    resolved_market_at timestamptz,
    CONSTRAINT margin_calls_resolved_on_both_clocks CHECK ((resolved_at IS NULL) = (resolved_market_at IS NULL))
);
COMMENT ON TABLE margin_calls IS 'Times in which an account''s margin level stood at or below its margin-call level.';
COMMENT ON COLUMN margin_calls.margin_level IS 'Percent: 100 * equity / used margin, when the call was opened.';
COMMENT ON COLUMN margin_calls.market_at IS 'The market''s own time when the call was opened.';
COMMENT ON COLUMN margin_calls.resolved_market_at IS 'The market''s own time when the level was above again.';
CREATE INDEX idx_margin_calls_account_id
    ON margin_calls (account_id);
CREATE UNIQUE INDEX idx_margin_calls_account_id_open
    ON margin_calls (account_id)
    WHERE resolved_at IS NULL;
CREATE TRIGGER margin_calls_count_revision
    BEFORE UPDATE ON margin_calls
    FOR EACH ROW EXECUTE FUNCTION count_revision();
CREATE TRIGGER margin_calls_are_audited
    AFTER INSERT OR UPDATE OR DELETE ON margin_calls
    FOR EACH ROW EXECUTE FUNCTION audit_row_change();
ALTER TABLE margin_calls ENABLE ALWAYS TRIGGER margin_calls_are_audited;

CREATE TABLE stop_outs (
    id uuid
        CONSTRAINT stop_outs_pkey PRIMARY KEY,
    account_id uuid
        CONSTRAINT stop_outs_account_id_present NOT NULL
        CONSTRAINT stop_outs_account_exists REFERENCES accounts (id) ON DELETE RESTRICT,
    margin_level numeric(20, 4)
        CONSTRAINT stop_outs_margin_level_finite CHECK (margin_level > '-Infinity' AND margin_level < 'Infinity'),
    equity numeric(20, 8)
        CONSTRAINT stop_outs_equity_present NOT NULL
        CONSTRAINT stop_outs_equity_finite CHECK (equity > '-Infinity' AND equity < 'Infinity'),
    used_margin numeric(20, 8)
        CONSTRAINT stop_outs_used_margin_present NOT NULL
        CONSTRAINT stop_outs_used_margin_not_negative CHECK (used_margin >= 0 AND used_margin < 'Infinity'),
    orders_canceled integer
        CONSTRAINT stop_outs_orders_canceled_present NOT NULL
        CONSTRAINT stop_outs_orders_canceled_not_negative CHECK (orders_canceled >= 0),
    positions_closed integer
        CONSTRAINT stop_outs_positions_closed_present NOT NULL
        CONSTRAINT stop_outs_positions_closed_not_negative CHECK (positions_closed >= 0),
    forgiven numeric(20, 8)
        CONSTRAINT stop_outs_forgiven_present NOT NULL
        CONSTRAINT stop_outs_forgiven_not_negative CHECK (forgiven >= 0 AND forgiven < 'Infinity'),
    occurred_at timestamptz DEFAULT clock_timestamp()
        CONSTRAINT stop_outs_occurred_at_present NOT NULL,
    market_at timestamptz
        CONSTRAINT stop_outs_market_at_present NOT NULL,
    margin_call_id uuid
        CONSTRAINT stop_outs_margin_call_exists REFERENCES margin_calls (id) ON DELETE RESTRICT,
    CONSTRAINT stop_outs_level_iff_margin_used CHECK ((margin_level IS NULL) = (used_margin = 0))
);
COMMENT ON TABLE stop_outs IS 'Liquidations: positions closed by the house because the margin level fell below the stop-out level. Append-only.';
COMMENT ON COLUMN stop_outs.margin_level IS 'Percent: 100 * equity / used margin before; empty when none was used: no position was left, or all were hedged.';
COMMENT ON COLUMN stop_outs.market_at IS 'The market''s own time.';
COMMENT ON COLUMN stop_outs.positions_closed IS 'Positions closed in book B, or passed on to a provider to be closed in book A.';
COMMENT ON COLUMN stop_outs.forgiven IS 'Negative balance taken over by the house in the account''s currency (negative balance protection, ESMA 2018/796).';
COMMENT ON COLUMN stop_outs.margin_call_id IS 'The margin call under which it was; empty when none was open. All that the house does under one call is told as one stop-out.';
CREATE INDEX idx_stop_outs_account_id
    ON stop_outs (account_id);
CREATE INDEX idx_stop_outs_margin_call_id
    ON stop_outs (margin_call_id)
    WHERE margin_call_id IS NOT NULL;
CREATE TRIGGER stop_outs_are_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON stop_outs
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TABLE circuit_breakers (
    id uuid DEFAULT uuidv7()
        CONSTRAINT circuit_breakers_pkey PRIMARY KEY,
    code text
        CONSTRAINT circuit_breakers_code_present NOT NULL
        CONSTRAINT circuit_breakers_code_is_plain CHECK (code ~ '^[a-z0-9_-]{2,32}$')
        CONSTRAINT circuit_breakers_code_unique UNIQUE,
    kind text
        CONSTRAINT circuit_breakers_kind_present NOT NULL
        CONSTRAINT circuit_breakers_kind_known CHECK (kind IN (
            'price_movement', 'volatility', 'volume', 'loss', 'error_rate', 'lp_health', 'manual'
        )),
    symbol text
        CONSTRAINT circuit_breakers_instrument_exists REFERENCES instruments (symbol) ON DELETE RESTRICT,
    threshold numeric(20, 8)
        CONSTRAINT circuit_breakers_threshold_positive CHECK (threshold > 0 AND threshold < 'Infinity'),
    currency text
        CONSTRAINT circuit_breakers_currency_exists REFERENCES currencies (code) ON DELETE RESTRICT,
    window_seconds integer
        CONSTRAINT circuit_breakers_window_seconds_in_range CHECK (window_seconds BETWEEN 1 AND 86400),
    reset_seconds integer
        CONSTRAINT circuit_breakers_reset_seconds_present NOT NULL
        CONSTRAINT circuit_breakers_reset_seconds_in_range CHECK (reset_seconds BETWEEN 0 AND 604800),
    cooldown_seconds integer
        CONSTRAINT circuit_breakers_cooldown_seconds_present NOT NULL
        CONSTRAINT circuit_breakers_cooldown_seconds_in_range CHECK (cooldown_seconds BETWEEN 0 AND 604800),
    created_at timestamptz DEFAULT clock_timestamp()
        CONSTRAINT circuit_breakers_created_at_present NOT NULL,
    CONSTRAINT circuit_breakers_measure_something CHECK (
        CASE kind
            WHEN 'manual' THEN num_nonnulls(threshold, window_seconds) = 0
            WHEN 'price_movement' THEN num_nulls(symbol, threshold, window_seconds) = 0
            WHEN 'volatility' THEN num_nulls(symbol, threshold, window_seconds) = 0
            ELSE num_nulls(threshold, window_seconds) = 0
        END
    ),
    CONSTRAINT circuit_breakers_money_has_currency CHECK ((kind IN ('volume', 'loss')) = (currency IS NOT NULL)),
    CONSTRAINT circuit_breakers_shares_within_all CHECK (kind NOT IN ('error_rate', 'lp_health') OR threshold <= 100)
);
COMMENT ON TABLE circuit_breakers IS 'Rules that stop opening trades by themselves, or by hand; the state of each is that of its last event. Append-only.';
COMMENT ON COLUMN circuit_breakers.kind IS 'What is measured within the window. price_movement: how far the middle has moved; volatility: of its log returns, a year; volume: what clients have dealt; loss: what the house''s own position has lost; error_rate: providers'' last words that dealt nothing; lp_health: providers that have given no price; manual: nothing.';
COMMENT ON COLUMN circuit_breakers.symbol IS 'The instrument that is measured and stopped; without it all are.';
COMMENT ON COLUMN circuit_breakers.threshold IS 'Triggers when it is reached. volume and loss: money in currency; price_movement: percent of the price; volatility: percent a year; error_rate: percent of the answers; lp_health: percent of the providers.';
COMMENT ON COLUMN circuit_breakers.currency IS 'Of a threshold in money; what is measured is converted into it at the middle rate.';
COMMENT ON COLUMN circuit_breakers.reset_seconds IS 'Of the market''s time, from triggered to cooling down.';
COMMENT ON COLUMN circuit_breakers.cooldown_seconds IS 'Of the market''s time, in which the condition must stay clear before it is armed again.';
CREATE INDEX idx_circuit_breakers_symbol
    ON circuit_breakers (symbol)
    WHERE symbol IS NOT NULL;
CREATE INDEX idx_circuit_breakers_currency
    ON circuit_breakers (currency)
    WHERE currency IS NOT NULL;
CREATE TRIGGER circuit_breakers_are_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON circuit_breakers
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Each event begins in the state in which the one before ended, and two writers cannot both be the
-- next: the keys say so.
CREATE TABLE circuit_breaker_events (
    id uuid DEFAULT uuidv7()
        CONSTRAINT circuit_breaker_events_pkey PRIMARY KEY,
    breaker_id uuid
        CONSTRAINT circuit_breaker_events_breaker_id_present NOT NULL
        CONSTRAINT circuit_breaker_events_breaker_exists REFERENCES circuit_breakers (id) ON DELETE RESTRICT,
    seq integer
        CONSTRAINT circuit_breaker_events_seq_present NOT NULL
        CONSTRAINT circuit_breaker_events_seq_positive CHECK (seq > 0),
    previous_seq integer,
    from_state text,
    to_state text
        CONSTRAINT circuit_breaker_events_to_state_present NOT NULL
        CONSTRAINT circuit_breaker_events_to_state_known CHECK (to_state IN ('armed', 'triggered', 'cooling_down', 'disabled')),
    actor text
        CONSTRAINT circuit_breaker_events_actor_present NOT NULL
        CONSTRAINT circuit_breaker_events_actor_not_empty CHECK (btrim(actor) <> ''),
    reason text
        CONSTRAINT circuit_breaker_events_reason_present NOT NULL
        CONSTRAINT circuit_breaker_events_reason_not_empty CHECK (btrim(reason) <> ''),
    measured numeric(20, 8)
        CONSTRAINT circuit_breaker_events_measured_finite CHECK (measured >= 0 AND measured < 'Infinity'),
    market_at timestamptz,
    occurred_at timestamptz DEFAULT clock_timestamp()
        CONSTRAINT circuit_breaker_events_occurred_at_present NOT NULL,
    CONSTRAINT circuit_breaker_events_seq_once UNIQUE (breaker_id, seq),
    CONSTRAINT circuit_breaker_events_state_once UNIQUE (breaker_id, seq, to_state),
    CONSTRAINT circuit_breaker_events_follow_each_other FOREIGN KEY (breaker_id, previous_seq, from_state)
        REFERENCES circuit_breaker_events (breaker_id, seq, to_state) ON DELETE RESTRICT,
    CONSTRAINT circuit_breaker_events_seq_gapless CHECK (
        CASE WHEN seq = 1 THEN num_nulls(previous_seq, from_state) = 2 ELSE previous_seq = seq - 1 AND from_state IS NOT NULL END
    ),
    -- The market only goes round the circle; whoever goes another way is a person with a reason.
    CONSTRAINT circuit_breaker_events_transition_allowed CHECK (
        coalesce(from_state, '') <> to_state
        AND (
            actor <> 'market'
            OR (from_state, to_state) IN (('armed', 'triggered'), ('triggered', 'cooling_down'), ('cooling_down', 'armed'))
        )
    )
);
COMMENT ON TABLE circuit_breaker_events IS 'Every change of state of a circuit breaker. Append-only.';
COMMENT ON COLUMN circuit_breaker_events.measured IS 'What was measured then, in the unit of the breaker''s threshold.';
COMMENT ON COLUMN circuit_breaker_events.market_at IS 'The market''s own time; empty when a person did it.';
CREATE INDEX idx_circuit_breaker_events_breaker_id_previous
    ON circuit_breaker_events (breaker_id, previous_seq, from_state);
CREATE TRIGGER circuit_breaker_events_count_reference
    AFTER INSERT ON circuit_breaker_events
    FOR EACH STATEMENT EXECUTE FUNCTION count_reference_version();
CREATE TRIGGER circuit_breaker_events_are_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON circuit_breaker_events
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- tradewright: ignore missing-composite-index: nothing reads the alerts of one severity
CREATE TABLE alerts (
    id uuid DEFAULT uuidv7()
        CONSTRAINT alerts_pkey PRIMARY KEY,
    severity text
        CONSTRAINT alerts_severity_present NOT NULL
        CONSTRAINT alerts_severity_known CHECK (severity IN ('info', 'warning', 'critical')),
    kind text
        CONSTRAINT alerts_kind_present NOT NULL
        CONSTRAINT alerts_kind_known CHECK (kind IN ('limit_breached', 'breaker_moved', 'trading_halted', 'account_stopped_out', 'account_stuck', 'symbol_unpriced', 'execution_corrected', 'execution_set_aside', 'execution_unreadable', 'reversal_incomplete', 'symbol_refused', 'answer_missing', 'answer_unbooked', 'payment_conflicted', 'message_conflicted', 'message_waiting', 'client_owes', 'payments_refused', 'job_failing', 'clock_diverged', 'view_overdue', 'audit_months_short', 'backup_overdue')),
    about text
        CONSTRAINT alerts_about_present NOT NULL,
    what text
        CONSTRAINT alerts_what_present NOT NULL,
    raised_at timestamptz DEFAULT clock_timestamp()
        CONSTRAINT alerts_raised_at_present NOT NULL,
    acknowledged_by text
        CONSTRAINT alerts_acknowledged_by_not_empty CHECK (btrim(acknowledged_by) <> ''),
    acknowledged_at timestamptz,
    resolved_at timestamptz,
    CONSTRAINT alerts_acknowledged_by_somebody CHECK ((acknowledged_at IS NULL) = (acknowledged_by IS NULL))
);
COMMENT ON TABLE alerts IS 'What people must know within five seconds (RTS 6, article 16); told on the channel <schema>_alerts at commit.';
COMMENT ON COLUMN alerts.about IS 'What it is about; while one waits, no second of its kind is raised about the same.';
COMMENT ON COLUMN alerts.resolved_at IS 'When what it is about was over by itself; of symbols without a price, accounts that could not be stopped out, symbols that a provider refused, answers that were not booked or did not come, executions that fit no order, what waits in payments and jobs, reporting views that were not refreshed, and months that were not made ahead.';
CREATE UNIQUE INDEX idx_alerts_kind_about_open
    ON alerts (kind, about)
    WHERE acknowledged_at IS NULL AND resolved_at IS NULL;
-- What may be over by itself is looked for whether somebody has seen it or not; the other kinds only grow.
CREATE INDEX idx_alerts_kind_about_unresolved
    ON alerts (kind, about)
    WHERE resolved_at IS NULL
      AND kind IN (
          'account_stuck', 'symbol_unpriced', 'execution_set_aside', 'answer_missing', 'answer_unbooked', 'symbol_refused', 'payment_conflicted',
          'message_conflicted', 'message_waiting', 'client_owes', 'job_failing', 'clock_diverged', 'view_overdue', 'audit_months_short', 'backup_overdue'
      );
CREATE TRIGGER alerts_are_kept
    BEFORE DELETE OR TRUNCATE ON alerts
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE FUNCTION tell_alert() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    PERFORM pg_notify(TG_TABLE_SCHEMA || '_alerts', NEW.id::text);
    RETURN NULL;
END;
$$;
COMMENT ON FUNCTION tell_alert() IS 'Trigger of alerts: tells whoever listens, at commit.';
CREATE TRIGGER alerts_are_told
    AFTER INSERT ON alerts
    FOR EACH ROW EXECUTE FUNCTION tell_alert();

CREATE FUNCTION open_alert(p_severity text, p_kind text, p_about text, p_what text) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    INSERT INTO alerts (severity, kind, about, what)
    VALUES (p_severity, p_kind, p_about, p_what)
    ON CONFLICT (kind, about) WHERE acknowledged_at IS NULL AND resolved_at IS NULL DO NOTHING;
END;
$$;
COMMENT ON FUNCTION open_alert(text, text, text, text) IS 'Raises an alert, one of a kind about the same while it waits.';
CREATE FUNCTION end_alert(p_kind text, p_about text) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    UPDATE alerts
    SET resolved_at = clock_timestamp()
    WHERE kind = p_kind AND about = p_about AND resolved_at IS NULL;
END;
$$;
COMMENT ON FUNCTION end_alert(text, text) IS 'Notes that what an alert is about is over by itself, whether somebody has seen it or not.';

-- Raised by the rows themselves, so that no way of writing them forgets to.
CREATE FUNCTION raise_alert() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    CASE TG_TABLE_NAME
        WHEN 'risk_breaches' THEN
            INSERT INTO alerts (severity, kind, about, what)
            SELECT DISTINCT ON (o.account_id, l.id)
                'warning',
                'limit_breached',
                l.id || ' ' || o.account_id,
                format('account %s would have exceeded its limit %s of %s with %s', o.account_id, l.kind, n.limit_value, n.measured)
            FROM new_rows AS n
            JOIN risk_limits AS l ON l.id = n.limit_id
            JOIN orders AS o ON o.id = n.order_id
            ON CONFLICT (kind, about) WHERE acknowledged_at IS NULL AND resolved_at IS NULL DO NOTHING;
        WHEN 'circuit_breaker_events' THEN
            INSERT INTO alerts (severity, kind, about, what)
            SELECT
                CASE n.to_state WHEN 'triggered' THEN 'critical' WHEN 'disabled' THEN 'warning' ELSE 'info' END,
                'breaker_moved',
                n.id,
                format('circuit breaker %s is %s: %s', b.code, replace(n.to_state, '_', ' '), n.reason)
            FROM new_rows AS n
            JOIN circuit_breakers AS b ON b.id = n.breaker_id
            WHERE n.seq > 1;
        WHEN 'trading_halts' THEN
            INSERT INTO alerts (severity, kind, about, what)
            SELECT
                'critical',
                'trading_halted',
                n.id,
                format('trading is %s for %s by %s: %s', replace(n.mode, '_', '-'),
                    concat_ws(' ', n.scope, n.group_code, n.account_id, n.symbol), n.set_by, n.reason)
            FROM new_rows AS n;
        WHEN 'stop_outs' THEN
            -- Providers may reject again and again, and positions go one by one: the first row of a
            -- margin call is told, without a call the first of ten minutes; and whatever is forgiven.
            INSERT INTO alerts (severity, kind, about, what)
            SELECT
                'warning',
                'account_stopped_out',
                n.id,
                format('account %s was stopped out at %s%s', n.account_id,
                    coalesce(round(n.margin_level, 2) || ' percent', format('an equity of %s %s without used margin', round(n.equity, 2), a.currency)),
                    CASE WHEN n.forgiven > 0 THEN format(', %s %s forgiven', trim_scale(n.forgiven), a.currency) END)
            FROM new_rows AS n
            JOIN accounts AS a ON a.id = n.account_id
            WHERE n.forgiven > 0
               OR NOT EXISTS (
                   SELECT FROM stop_outs AS s
                   WHERE s.margin_call_id = n.margin_call_id AND s.id < n.id
               )
               AND NOT EXISTS (
                   SELECT FROM stop_outs AS s
                   WHERE s.account_id = n.account_id
                     AND n.margin_call_id IS NULL
                     AND s.margin_call_id IS NULL
                     AND s.positions_closed > 0
                     AND s.market_at > n.market_at - interval '10 minutes'
                     AND s.id < n.id
               );
        WHEN 'provider_corrections' THEN
            INSERT INTO alerts (severity, kind, about, what)
            SELECT
                'critical',
                'execution_corrected',
                n.id,
                format('provider %s sent a %s of execution %s: see tradewright providers corrections',
                    p.code, n.kind, coalesce(n.refers_to, 'it does not name'))
            FROM new_rows AS n
            JOIN liquidity_providers AS p ON p.id = n.provider_id;
        WHEN 'unsolicited_fills' THEN
            INSERT INTO alerts (severity, kind, about, what)
            SELECT
                'critical',
                'execution_set_aside',
                n.id,
                format('provider %s has dealt what fits no order of ours: execution %s, %s of %s %s at %s (%s); see tradewright providers unsolicited',
                    p.code, n.provider_execution_id, CASE n.side WHEN 'buy' THEN 'a buy' ELSE 'a sale' END,
                    trim_scale(n.quantity), n.symbol, trim_scale(n.price), replace(n.reason, '_', ' '))
            FROM new_rows AS n
            JOIN liquidity_providers AS p ON p.id = n.provider_id;
        WHEN 'unsolicited_fill_resolutions' THEN
            UPDATE alerts
            SET resolved_at = clock_timestamp()
            WHERE kind = 'execution_set_aside'
              AND about IN (SELECT n.fill_id::text FROM new_rows AS n)
              AND resolved_at IS NULL;
    END CASE;
    RETURN NULL;
END;
$$;
COMMENT ON FUNCTION raise_alert() IS 'Trigger of what people must know at once: raises an alert for each new row, or ends that of what is decided.';
CREATE TRIGGER risk_breaches_raise_alerts
    AFTER INSERT ON risk_breaches
    REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION raise_alert();
CREATE TRIGGER circuit_breaker_events_raise_alerts
    AFTER INSERT ON circuit_breaker_events
    REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION raise_alert();
CREATE TRIGGER trading_halts_raise_alerts
    AFTER INSERT ON trading_halts
    REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION raise_alert();
CREATE TRIGGER provider_corrections_raise_alerts
    AFTER INSERT ON provider_corrections
    REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION raise_alert();
CREATE TRIGGER unsolicited_fills_raise_alerts
    AFTER INSERT ON unsolicited_fills
    REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION raise_alert();
CREATE TRIGGER unsolicited_fill_resolutions_end_alerts
    AFTER INSERT ON unsolicited_fill_resolutions
    REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION raise_alert();
CREATE TRIGGER stop_outs_raise_alerts
    AFTER INSERT ON stop_outs
    REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION raise_alert();
