-- Takes away the jobs, their schedules and what is known of their runs.

DROP FUNCTION tell_audit_months_ahead();
DROP FUNCTION prune_records(integer);
DROP TABLE clock_samples;
DROP FUNCTION raise_clock_alert();
DROP TABLE job_runs;
DROP TABLE jobs;
DROP FUNCTION raise_job_alert();
