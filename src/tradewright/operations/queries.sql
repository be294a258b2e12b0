-- name: due_jobs
-- Read what is due, the longest overdue first.
SELECT name
FROM jobs
WHERE is_enabled AND next_due_at <= clock_timestamp()
ORDER BY next_due_at, name;

-- name: take_turn
-- Let one runner at a time claim a job.
SELECT take_turn('job/' || %(name)s::text);

-- name: lock_due_job
-- Read a job if it is still due, now that no other runner runs it.
SELECT every, daily_at, next_due_at, failure_count
FROM jobs
WHERE name = %(name)s AND is_enabled AND next_due_at <= clock_timestamp()
FOR NO KEY UPDATE;

-- name: mark_lost
-- End the run of a runner that is gone, if there is one; answer when.
UPDATE job_runs
SET finished_at = clock_timestamp(), outcome = 'lost'
WHERE job_name = %(name)s AND finished_at IS NULL
RETURNING finished_at;

-- name: begin_run
-- Record that a run begins.
INSERT INTO job_runs (job_name)
VALUES (%(name)s)
RETURNING id::text;

-- name: end_run
-- Record what came of a run, unless another runner took it for lost.
UPDATE job_runs
SET
    finished_at = clock_timestamp(),
    outcome = %(outcome)s,
    done_count = %(done_count)s::bigint,
    error_code = %(error_code)s,
    error = %(error)s
WHERE id = %(id)s AND finished_at IS NULL
RETURNING finished_at, extract(epoch FROM finished_at - started_at)::numeric(20, 3);

-- name: set_due
-- Set when the job is due again.
UPDATE jobs
SET next_due_at = %(next_due_at)s, failure_count = %(failure_count)s
WHERE name = %(name)s;

-- name: list_jobs
-- Read every job with what came of its last run that has ended, and the run that has not.
SELECT
    j.name,
    j.every,
    j.daily_at,
    j.is_enabled,
    j.next_due_at,
    greatest(extract(epoch FROM clock_timestamp() - j.next_due_at), 0)::numeric(20, 3),
    (SELECT o.started_at FROM job_runs AS o WHERE o.job_name = j.name AND o.finished_at IS NULL),
    j.failure_count,
    r.outcome,
    r.finished_at,
    extract(epoch FROM r.finished_at - r.started_at)::numeric(20, 3),
    r.done_count,
    r.error
FROM jobs AS j
LEFT JOIN LATERAL (
    SELECT *
    FROM job_runs AS e
    WHERE e.job_name = j.name AND e.finished_at IS NOT NULL
    ORDER BY e.started_at DESC
    LIMIT 1
) AS r ON true
ORDER BY j.name;

-- name: make_partitions
-- Keep the partitions of this month and the next ones ready.
SELECT premake_audit_log_partitions(%(months)s);

-- name: tell_months_ahead
-- Raise or end the alert that fewer than two months of the audit log lie ahead.
SELECT tell_audit_months_ahead();

-- name: list_partitions
-- Read every month of the audit log with its size, its seals and where it stands, oldest first.
SELECT
    m.month,
    m.month::timestamp AT TIME ZONE 'UTC',
    (m.month + interval '1 month') AT TIME ZONE 'UTC',
    CASE WHEN m.is_attached THEN coalesce(found.row_count, 0) ELSE a.row_count END,
    CASE WHEN m.table_id IS NULL THEN a.file_bytes ELSE pg_total_relation_size(m.table_id) END,
    CASE WHEN m.is_attached THEN found.sealed_up_to ELSE a.last_at END,
    coalesce(found.unsealed_count, 0),
    CASE
        WHEN m.state IS NOT NULL THEN m.state
        WHEN m.is_due THEN 'due'
        WHEN m.month > clock_timestamp() AT TIME ZONE 'UTC' THEN 'ahead'
        ELSE 'online'
    END,
    m.is_held
FROM audit_months AS m
LEFT JOIN audit_archives AS a ON a.month = m.month
LEFT JOIN (
    SELECT
        l.tableoid AS table_id,
        count(*) AS row_count,
        max(l.created_at) FILTER (WHERE l.txid < s.sealed_to) AS sealed_up_to,
        count(*) FILTER (WHERE l.txid >= s.sealed_to) AS unsealed_count
    FROM audit_log AS l
    CROSS JOIN (SELECT coalesce(max(to_txid), 0) AS sealed_to FROM audit_seals) AS s
    GROUP BY l.tableoid
) AS found ON found.table_id = m.table_id
ORDER BY m.month;
