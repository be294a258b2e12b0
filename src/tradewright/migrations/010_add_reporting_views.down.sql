-- Takes the reporting views and the record of their refreshes away; they are computed anew from what stays.

DROP FUNCTION raise_overdue_views();
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
