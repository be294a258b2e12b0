-- Takes the reporting views and the record of their refreshes away; they are computed anew from what stays.

-- The jobs go too, with what is known of their runs: there is nothing left for them to do, and each run would fail.
SELECT end_alert('view_overdue', name) FROM reporting_views;
SELECT end_alert('job_failing', name)
FROM jobs
WHERE name IN ('prune_view_refreshes', 'refresh_reporting_views', 'watch_reporting_views');
ALTER TABLE job_runs DISABLE TRIGGER USER;
DELETE FROM job_runs
WHERE job_name IN ('prune_view_refreshes', 'refresh_reporting_views', 'watch_reporting_views');
ALTER TABLE job_runs ENABLE TRIGGER USER;
ALTER TABLE jobs DISABLE TRIGGER USER;
DELETE FROM jobs
WHERE name IN ('prune_view_refreshes', 'refresh_reporting_views', 'watch_reporting_views');
ALTER TABLE jobs ENABLE TRIGGER USER;
DROP FUNCTION raise_overdue_views();
DROP FUNCTION prune_view_refreshes(integer);
DROP FUNCTION refresh_reporting_view(text);
DROP VIEW reporting_view_states;
DROP TABLE view_refreshes;
DROP TABLE reporting_views;
DROP MATERIALIZED VIEW client_activity;
DROP MATERIALIZED VIEW house_result;
DROP MATERIALIZED VIEW provider_summary;
DROP MATERIALIZED VIEW trading_summary;
DROP MATERIALIZED VIEW payment_summary;
DROP FUNCTION trading_day(timestamptz);
