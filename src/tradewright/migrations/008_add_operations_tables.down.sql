-- Takes away the jobs, their schedules and what is known of their runs, and what is known of backups.

DROP FUNCTION tell_audit_months_ahead();
DROP FUNCTION prune_records(integer);
DROP TABLE law_checks;
DROP TABLE clock_samples;
DROP FUNCTION raise_clock_alert();
DROP FUNCTION raise_overdue_backups();
DROP TABLE backup_terms;
DROP TABLE backup_runs;
DROP TABLE job_runs;
DROP TABLE jobs;
DROP FUNCTION raise_job_alert();
