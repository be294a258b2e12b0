-- name: prune_records
-- Delete what has been kept for as long as it must be, at most so many rows of each table.
SELECT prune_records(%(rows_max)s);

-- name: prune_view_refreshes
-- Delete what is known of old refreshes, at most so many rows.
SELECT prune_view_refreshes(%(rows_max)s);

-- name: server_clock
-- Read the server's clock.
SELECT clock_timestamp();

-- name: add_clock_sample
-- Write down what is known of the clocks; return what follows from it.
INSERT INTO clock_samples (
    host, is_synchronised, offset_us, error_us_max, error_us_estimated, unknown_reason,
    server_difference_us, server_uncertainty_us
)
VALUES (
    %(host)s, %(is_synchronised)s, %(offset_us)s, %(error_us_max)s, %(error_us_estimated)s,
    %(unknown_reason)s, %(server_difference_us)s, %(server_uncertainty_us)s
)
RETURNING verdict;

-- name: watch_backups
-- Raise an alert where a backup or drill is older than declared, and end it where it is not.
SELECT raise_overdue_backups();
