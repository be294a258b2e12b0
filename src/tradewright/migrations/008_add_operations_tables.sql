-- 008: what must be done again and again, when it was done last, and what came of it.

CREATE TABLE jobs (
    name text
        CONSTRAINT jobs_pkey PRIMARY KEY
        CONSTRAINT jobs_name_is_plain CHECK (
            length(name) BETWEEN 1 AND 64 AND ltrim(name, 'abcdefghijklmnopqrstuvwxyz_') = ''
        ),
    every interval
        CONSTRAINT jobs_every_within_a_week CHECK (every >= '1 second' AND every <= '7 days'),
    daily_at time,
    is_enabled boolean DEFAULT true
        CONSTRAINT jobs_is_enabled_present NOT NULL,
    next_due_at timestamptz DEFAULT clock_timestamp()
        CONSTRAINT jobs_next_due_at_present NOT NULL
        CONSTRAINT jobs_next_due_at_finite CHECK (next_due_at > '-infinity' AND next_due_at < 'infinity'),
    failure_count integer DEFAULT 0
        CONSTRAINT jobs_failure_count_present NOT NULL
        CONSTRAINT jobs_failure_count_not_negative CHECK (failure_count >= 0),
    CONSTRAINT jobs_one_schedule CHECK (num_nonnulls(every, daily_at) = 1)
);
COMMENT ON TABLE jobs IS 'What the due-job runner does, and when. Schedules may be changed; a row is never deleted.';
COMMENT ON COLUMN jobs.daily_at IS 'Time of day in UTC, for what is done once a day.';
COMMENT ON COLUMN jobs.failure_count IS 'Runs in a row that did not succeed; each puts the next try off further.';
CREATE TRIGGER jobs_are_kept
    BEFORE DELETE OR TRUNCATE ON jobs
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER jobs_keep_their_key
    BEFORE UPDATE OF name ON jobs
    FOR EACH ROW WHEN (OLD.name IS DISTINCT FROM NEW.name)
    EXECUTE FUNCTION refuse_new_key();

CREATE FUNCTION raise_job_alert() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF NEW.failure_count = 0 THEN
        PERFORM end_alert('job_failing', NEW.name);
    ELSE
        PERFORM open_alert('critical', 'job_failing', NEW.name, format(
            'job %s has not succeeded %s times in a row: see tradewright jobs list', NEW.name, NEW.failure_count
        ));
    END IF;
    RETURN NULL;
END;
$$;
COMMENT ON FUNCTION raise_job_alert() IS 'Trigger of jobs: raises an alert when a job has not succeeded three times in a row, and ends it when it succeeds.';
CREATE TRIGGER jobs_raise_alerts
    AFTER UPDATE ON jobs
    FOR EACH ROW WHEN (
        (OLD.failure_count < 3 AND NEW.failure_count >= 3) OR (OLD.failure_count >= 3 AND NEW.failure_count = 0)
    )
    EXECUTE FUNCTION raise_job_alert();

CREATE TABLE job_runs (
    id uuid DEFAULT uuidv7()
        CONSTRAINT job_runs_pkey PRIMARY KEY,
    job_name text
        CONSTRAINT job_runs_job_name_present NOT NULL
        CONSTRAINT job_runs_job_exists REFERENCES jobs (name) ON DELETE RESTRICT,
    started_at timestamptz DEFAULT clock_timestamp()
        CONSTRAINT job_runs_started_at_present NOT NULL,
    database_role text DEFAULT session_user
        CONSTRAINT job_runs_database_role_present NOT NULL,
    finished_at timestamptz
        CONSTRAINT job_runs_finished_after_started CHECK (finished_at >= started_at),
    outcome text
        CONSTRAINT job_runs_outcome_known CHECK (outcome IN ('succeeded', 'failed', 'lost')),
    done_count bigint
        CONSTRAINT job_runs_done_count_not_negative CHECK (done_count >= 0),
    error_code text,
    error text,
    CONSTRAINT job_runs_finished_has_outcome CHECK ((finished_at IS NULL) = (outcome IS NULL)),
    CONSTRAINT job_runs_success_has_count CHECK ((outcome IS NOT DISTINCT FROM 'succeeded') = (done_count IS NOT NULL)),
    CONSTRAINT job_runs_failure_has_error CHECK (
        (outcome IS NOT DISTINCT FROM 'failed') = (error_code IS NOT NULL AND error IS NOT NULL)
    )
);
COMMENT ON TABLE job_runs IS 'Every run of a job, written when it begins and completed once, when it ends.';
COMMENT ON COLUMN job_runs.outcome IS 'Lost: its runner was gone before it ended; the next runner says so and runs the job again.';
COMMENT ON COLUMN job_runs.done_count IS 'How much was done, in the job''s own unit; none is a success too.';
COMMENT ON COLUMN job_runs.error IS 'Why it failed; of a success, what it had to leave undone.';
CREATE INDEX idx_job_runs_job_name_started_at
    ON job_runs (job_name, started_at DESC);
CREATE UNIQUE INDEX idx_job_runs_job_name_open
    ON job_runs (job_name)
    WHERE finished_at IS NULL;
CREATE TRIGGER job_runs_are_kept
    BEFORE DELETE OR TRUNCATE ON job_runs
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER job_runs_are_kept_ninety_days
    BEFORE DELETE ON job_runs
    FOR EACH ROW WHEN (OLD.finished_at IS NULL OR OLD.finished_at > clock_timestamp() - interval '90 days')
    EXECUTE FUNCTION refuse_change();
CREATE TRIGGER job_runs_end_once
    BEFORE UPDATE ON job_runs
    FOR EACH ROW WHEN (
        OLD.finished_at IS NOT NULL
        OR (OLD.id, OLD.job_name, OLD.started_at) IS DISTINCT FROM (NEW.id, NEW.job_name, NEW.started_at)
    )
    EXECUTE FUNCTION refuse_new_key();

CREATE TABLE backup_runs (
    id uuid DEFAULT uuidv7()
        CONSTRAINT backup_runs_pkey PRIMARY KEY,
    kind text
        CONSTRAINT backup_runs_kind_present NOT NULL
        CONSTRAINT backup_runs_kind_known CHECK (kind IN ('full', 'incremental', 'logical', 'drill')),
    backup text
        CONSTRAINT backup_runs_backup_present NOT NULL
        CONSTRAINT backup_runs_backup_has_length CHECK (length(backup) BETWEEN 1 AND 200),
    database_role text DEFAULT session_user
        CONSTRAINT backup_runs_database_role_present NOT NULL,
    started_at timestamptz
        CONSTRAINT backup_runs_started_at_present NOT NULL,
    finished_at timestamptz DEFAULT clock_timestamp()
        CONSTRAINT backup_runs_finished_at_present NOT NULL,
    outcome text
        CONSTRAINT backup_runs_outcome_present NOT NULL
        CONSTRAINT backup_runs_outcome_known CHECK (outcome IN ('succeeded', 'failed')),
    bytes bigint
        CONSTRAINT backup_runs_bytes_not_negative CHECK (bytes >= 0),
    covers_until timestamptz,
    restore_ms bigint
        CONSTRAINT backup_runs_restore_ms_not_negative CHECK (restore_ms >= 0),
    error_code text,
    error text,
    CONSTRAINT backup_runs_finished_after_started CHECK (finished_at >= started_at),
    CONSTRAINT backup_runs_success_has_figures CHECK (
        outcome <> 'succeeded' OR (bytes IS NOT NULL AND covers_until IS NOT NULL)
    ),
    CONSTRAINT backup_runs_failure_has_error CHECK ((outcome = 'failed') = (error_code IS NOT NULL AND error IS NOT NULL))
);
COMMENT ON TABLE backup_runs IS 'Every backup and every drill that has ended, and what came of it; append-only.';
COMMENT ON COLUMN backup_runs.backup IS 'Name of the backup: of its folder, without the path.';
COMMENT ON COLUMN backup_runs.covers_until IS 'All that was committed before is in it; of a drill, the newest commit that was found.';
COMMENT ON COLUMN backup_runs.restore_ms IS 'Of a drill: from the beginning of the restore to the first answer of the server.';
CREATE INDEX idx_backup_runs_finished_at
    ON backup_runs (finished_at DESC);
CREATE TRIGGER backup_runs_are_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON backup_runs
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TABLE backup_terms (
    seq bigint GENERATED ALWAYS AS IDENTITY
        CONSTRAINT backup_terms_pkey PRIMARY KEY,
    kind text
        CONSTRAINT backup_terms_kind_present NOT NULL
        CONSTRAINT backup_terms_kind_known CHECK (kind IN ('backup', 'drill', 'archive', 'standby')),
    within interval
        CONSTRAINT backup_terms_within_in_range CHECK (within >= '1 second' AND within <= '400 days'),
    actor text DEFAULT coalesce(nullif(current_setting('app.actor', true), ''), session_user)
        CONSTRAINT backup_terms_actor_present NOT NULL,
    reason text DEFAULT nullif(current_setting('app.reason', true), ''),
    declared_at timestamptz DEFAULT clock_timestamp()
        CONSTRAINT backup_terms_declared_at_present NOT NULL
);
COMMENT ON TABLE backup_terms IS 'What the house has declared about its backups; the last row of a kind holds. Append-only.';
COMMENT ON COLUMN backup_terms.within IS 'How old the last good backup, drill or archived WAL may be, and how far the nearest standby behind; nothing is declared any more where it is empty.';
CREATE TRIGGER backup_terms_are_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON backup_terms
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Who declared it counts as the first of its kind: a house is given its time from then on.
CREATE FUNCTION raise_overdue_backups() RETURNS integer
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    v_term record;
    v_overdue integer := 0;
BEGIN
    FOR v_term IN
        SELECT
            t.kind,
            t.within,
            greatest(
                t.declared_at,
                (
                    SELECT max(b.finished_at)
                    FROM backup_runs AS b
                    WHERE b.outcome = 'succeeded' AND (b.kind = 'drill') = (t.kind = 'drill')
                )
            ) AS last_at
        FROM (SELECT DISTINCT ON (kind) * FROM backup_terms ORDER BY kind, seq DESC) AS t
        WHERE t.kind IN ('backup', 'drill')
    LOOP
        IF v_term.last_at < clock_timestamp() - v_term.within THEN
            v_overdue := v_overdue + 1;
            PERFORM open_alert('critical', 'backup_overdue', v_term.kind, format(
                'no good %s for more than %s: see tradewright backup runs', v_term.kind, v_term.within
            ));
        ELSE
            PERFORM end_alert('backup_overdue', v_term.kind);
        END IF;
    END LOOP;
    RETURN v_overdue;
END;
$$;
COMMENT ON FUNCTION raise_overdue_backups() IS 'Raises an alert where the last good backup or drill is older than declared, and ends it where it is not; returns how many are.';

-- Who has held the laws against the rows, when, and what came of it: evidence that the house looks. Written by
-- who may set up the house, so that nothing that serves clients can say that all is well.
CREATE TABLE law_checks (
    id uuid DEFAULT uuidv7()
        CONSTRAINT law_checks_pkey PRIMARY KEY,
    began_at timestamptz
        CONSTRAINT law_checks_began_at_present NOT NULL,
    finished_at timestamptz DEFAULT clock_timestamp()
        CONSTRAINT law_checks_finished_at_present NOT NULL,
    actor text
        CONSTRAINT law_checks_actor_present NOT NULL
        CONSTRAINT law_checks_actor_not_empty CHECK (btrim(actor) <> ''),
    database_role text DEFAULT session_user
        CONSTRAINT law_checks_database_role_present NOT NULL,
    law_count integer
        CONSTRAINT law_checks_law_count_present NOT NULL
        CONSTRAINT law_checks_law_count_positive CHECK (law_count > 0),
    broken_count integer
        CONSTRAINT law_checks_broken_count_present NOT NULL
        CONSTRAINT law_checks_broken_within_all CHECK (broken_count BETWEEN 0 AND law_count),
    results jsonb
        CONSTRAINT law_checks_results_present NOT NULL
        CONSTRAINT law_checks_results_are_by_law CHECK (jsonb_typeof(results) = 'object'),
    CONSTRAINT law_checks_finished_after_begun CHECK (finished_at >= began_at)
);
COMMENT ON TABLE law_checks IS 'Each time that the laws were held against the database, by whom, and what came of it. Append-only, pruned after five years.';
COMMENT ON COLUMN law_checks.actor IS 'Who asked, as claimed by the client; database_role is what the server knows.';
COMMENT ON COLUMN law_checks.results IS 'By law: how much it was held against, how much breaks it, and some of that as rows.';
CREATE TRIGGER law_checks_are_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON law_checks
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER law_checks_are_kept_five_years
    BEFORE DELETE ON law_checks
    FOR EACH ROW WHEN (OLD.finished_at > clock_timestamp() - interval '5 years')
    EXECUTE FUNCTION refuse_change();

-- Messages to and from venues are kept for five years, or seven where a regulator asks for it: Regulation (EU)
-- 600/2014, article 25(1); Directive 2014/65/EU, article 16(7). Of a session the last message in each direction
-- stays, because its numbers go on from there; of a job its last run.
CREATE FUNCTION prune_records(p_rows_max integer DEFAULT 10000) RETURNS bigint
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    v_messages bigint;
    v_runs bigint;
    v_checks bigint;
    v_measures bigint;
BEGIN
    PERFORM set_config('app.pruned_table', 'fix_messages', true);
    DELETE FROM fix_messages AS m
    USING (
        SELECT o.session_id, o.direction, o.seq
        FROM fix_messages AS o
        WHERE o.kept_at < clock_timestamp() - interval '7 years'
          AND EXISTS (
              SELECT FROM fix_messages AS n
              WHERE n.session_id = o.session_id AND n.direction = o.direction AND n.seq > o.seq
          )
        ORDER BY o.kept_at
        LIMIT p_rows_max
    ) AS old
    WHERE (m.session_id, m.direction, m.seq) = (old.session_id, old.direction, old.seq);
    GET DIAGNOSTICS v_messages = ROW_COUNT;
    PERFORM set_config('app.pruned_table', 'job_runs', true);
    DELETE FROM job_runs AS r
    USING (
        SELECT o.id
        FROM job_runs AS o
        WHERE o.finished_at < clock_timestamp() - interval '90 days'
          AND EXISTS (
              SELECT FROM job_runs AS n
              WHERE n.job_name = o.job_name AND n.started_at > o.started_at AND n.finished_at IS NOT NULL
          )
        ORDER BY o.started_at
        LIMIT p_rows_max
    ) AS old
    WHERE r.id = old.id;
    GET DIAGNOSTICS v_runs = ROW_COUNT;
    PERFORM set_config('app.pruned_table', 'law_checks', true);
    -- The keys are in the order of time: no more is read than is deleted.
    DELETE FROM law_checks AS c
    USING (
        SELECT o.id
        FROM law_checks AS o
        WHERE o.id < uuidv7(interval '-5 years -1 hour') AND o.finished_at <= clock_timestamp() - interval '5 years'
        ORDER BY o.id
        LIMIT p_rows_max
    ) AS old
    WHERE c.id = old.id;
    GET DIAGNOSTICS v_checks = ROW_COUNT;
    PERFORM set_config('app.pruned_table', 'client_measures', true);
    DELETE FROM client_measures AS m
    USING (
        SELECT o.user_id, o.kind, o.number
        FROM client_measures AS o
        WHERE o.booked_at <= clock_timestamp() - interval '5 years'
        ORDER BY o.booked_at
        LIMIT p_rows_max
    ) AS old
    WHERE (m.user_id, m.kind, m.number) = (old.user_id, old.kind, old.number);
    GET DIAGNOSTICS v_measures = ROW_COUNT;
    PERFORM set_config('app.pruned_table', '', true);
    RETURN v_messages + v_runs + v_checks + v_measures;
END;
$$;
COMMENT ON FUNCTION prune_records(integer) IS 'Deletes messages to and from venues after seven years, runs of jobs after ninety days, checks of the laws and what was measured of clients after five years, at most so many of each; returns how many.';

-- How far the clocks may have been from UTC. RTS 25 (Delegated Regulation (EU) 2017/574), annex, table 2, allows
-- one millisecond to who trades electronically, though not at high frequency; what is held against it is the
-- server's clock, which stamps the records.
CREATE TABLE clock_samples (
    id uuid DEFAULT uuidv7()
        CONSTRAINT clock_samples_pkey PRIMARY KEY,
    host text
        CONSTRAINT clock_samples_host_present NOT NULL
        CONSTRAINT clock_samples_host_not_empty CHECK (host <> ''),
    sampled_at timestamptz DEFAULT clock_timestamp()
        CONSTRAINT clock_samples_sampled_at_present NOT NULL
        CONSTRAINT clock_samples_sampled_at_finite CHECK (isfinite(sampled_at)),
    is_synchronised boolean,
    offset_us numeric(20, 3)
        CONSTRAINT clock_samples_offset_us_finite CHECK (offset_us > '-Infinity' AND offset_us < 'Infinity'),
    error_us_max numeric(20, 3)
        CONSTRAINT clock_samples_error_us_max_not_negative CHECK (error_us_max >= 0 AND error_us_max < 'Infinity'),
    error_us_estimated numeric(20, 3)
        CONSTRAINT clock_samples_error_us_estimated_not_negative CHECK (error_us_estimated >= 0 AND error_us_estimated < 'Infinity'),
    unknown_reason text,
    server_difference_us numeric(20, 3)
        CONSTRAINT clock_samples_server_difference_us_present NOT NULL
        CONSTRAINT clock_samples_server_difference_us_finite CHECK (server_difference_us > '-Infinity' AND server_difference_us < 'Infinity'),
    server_uncertainty_us numeric(20, 3)
        CONSTRAINT clock_samples_server_uncertainty_us_present NOT NULL
        CONSTRAINT clock_samples_server_uncertainty_us_not_negative CHECK (server_uncertainty_us >= 0 AND server_uncertainty_us < 'Infinity'),
    divergence_us_max numeric(20, 3) GENERATED ALWAYS AS (
        abs(offset_us) + error_us_max + abs(server_difference_us) + server_uncertainty_us
    ) STORED,
    verdict text GENERATED ALWAYS AS (
        CASE
            WHEN is_synchronised IS NULL THEN 'unknown'
            WHEN NOT is_synchronised THEN 'unsynchronised'
            WHEN abs(offset_us) > 1000 OR error_us_estimated > 1000 OR abs(server_difference_us) - server_uncertainty_us > 1000
                THEN 'beyond'
            WHEN abs(offset_us) + error_us_max + abs(server_difference_us) + server_uncertainty_us <= 1000 THEN 'within'
            ELSE 'unproven'
        END
    ) STORED,
    CONSTRAINT clock_samples_kernel_told_all_or_why_not CHECK (
        CASE
            WHEN is_synchronised IS NULL
                THEN num_nonnulls(offset_us, error_us_max, error_us_estimated) = 0 AND unknown_reason IS NOT NULL
            ELSE num_nulls(offset_us, error_us_max, error_us_estimated) = 0 AND unknown_reason IS NULL
        END
    )
);
COMMENT ON TABLE clock_samples IS 'What was known now and then of the clocks: the host''s by its kernel, the server''s beside it. Append-only.';
COMMENT ON COLUMN clock_samples.host IS 'The machine that took the sample; where the server runs on another, its clock is known by the difference alone.';
COMMENT ON COLUMN clock_samples.is_synchronised IS 'Whether the kernel says that something keeps the clock at UTC (STA_UNSYNC is not set); empty where it said nothing.';
COMMENT ON COLUMN clock_samples.offset_us IS 'What of the offset from UTC the kernel has still to correct (adjtimex).';
COMMENT ON COLUMN clock_samples.error_us_max IS 'The largest error that the kernel allows for (maxerror); it grows until the clock is corrected again.';
COMMENT ON COLUMN clock_samples.error_us_estimated IS 'What the error is thought to be (esterror).';
COMMENT ON COLUMN clock_samples.unknown_reason IS 'Why the kernel said nothing.';
COMMENT ON COLUMN clock_samples.server_difference_us IS 'How far the server''s clock was ahead of the host''s.';
COMMENT ON COLUMN clock_samples.server_uncertainty_us IS 'How wrong that difference may be: half of the shortest round trip.';
COMMENT ON COLUMN clock_samples.divergence_us_max IS 'The furthest that the server''s clock can have been from UTC, by all of these together.';
COMMENT ON COLUMN clock_samples.verdict IS 'within: that is no more than 1 ms; beyond: one of them alone is thought to be more; unproven: neither; unsynchronised: nothing keeps the clock; unknown: the kernel said nothing.';
CREATE INDEX idx_clock_samples_host_sampled_at
    ON clock_samples (host, sampled_at);
CREATE TRIGGER clock_samples_are_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON clock_samples
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE FUNCTION raise_clock_alert() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    CASE NEW.verdict
        WHEN 'beyond' THEN
            PERFORM open_alert('critical', 'clock_diverged', NEW.host, format(
                'the clock is more than 1 ms from UTC by host %s: offset %s us, estimated error %s us, server ahead by %s us',
                NEW.host, trim_scale(NEW.offset_us), trim_scale(NEW.error_us_estimated), trim_scale(NEW.server_difference_us)
            ));
        WHEN 'unsynchronised' THEN
            PERFORM open_alert('critical', 'clock_diverged', NEW.host, format(
                'nothing keeps the clock of host %s at UTC: run an NTP or PTP client there', NEW.host
            ));
        WHEN 'unknown' THEN
            NULL;
        ELSE
            PERFORM end_alert('clock_diverged', NEW.host);
    END CASE;
    RETURN NULL;
END;
$$;
COMMENT ON FUNCTION raise_clock_alert() IS 'Trigger of clock_samples: raises an alert when a clock is beyond 1 ms or kept by nothing, and ends it when it is not.';
CREATE TRIGGER clock_samples_raise_alerts
    AFTER INSERT ON clock_samples
    FOR EACH ROW EXECUTE FUNCTION raise_clock_alert();

-- An audited change in a month without a partition fails. Months are made a year ahead; when fewer than two are
-- left, that has been going wrong for long, and people are told before writing stops.
CREATE FUNCTION tell_audit_months_ahead() RETURNS integer
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    v_month date := date_trunc('month', clock_timestamp() AT TIME ZONE 'UTC')::date;
    v_ahead integer := 0;
BEGIN
    WHILE EXISTS (
        SELECT FROM audit_months WHERE month = (v_month + make_interval(months => v_ahead + 1))::date AND is_attached
    ) LOOP
        v_ahead := v_ahead + 1;
    END LOOP;
    IF v_ahead < 2 THEN
        PERFORM open_alert('critical', 'audit_months_short', 'audit_log', format(
            'the audit log has partitions for %s months ahead: see tradewright partitions make', v_ahead
        ));
    ELSE
        PERFORM end_alert('audit_months_short', 'audit_log');
    END IF;
    RETURN v_ahead;
END;
$$;
COMMENT ON FUNCTION tell_audit_months_ahead() IS 'Raises an alert when fewer than two months lie ready ahead of this one, and ends it when they do; returns how many do.';

INSERT INTO jobs (name, every, daily_at)
VALUES
    ('archive_audit_log', NULL, '03:00'),
    ('collect_debts', '1 minute', NULL),
    ('deliver_events', '10 seconds', NULL),
    ('expire_holds', '1 minute', NULL),
    ('make_audit_partitions', NULL, '01:00'),
    ('prune_records', NULL, '02:00'),
    ('record_rates', '1 hour', NULL),
    ('retry_webhooks', '1 minute', NULL),
    ('roll_up_exposures', '1 minute', NULL),
    ('roll_up_house_balances', '1 minute', NULL),
    ('sample_clock', '5 minutes', NULL),
    ('seal_audit_log', '5 minutes', NULL),
    ('seal_ledger', '5 minutes', NULL),
    ('seal_records', '5 minutes', NULL),
    ('submit_payments', '10 seconds', NULL),
    ('watch_backups', '5 minutes', NULL);
