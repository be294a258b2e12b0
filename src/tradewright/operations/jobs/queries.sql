-- name: prune_records
-- Delete what has been kept for as long as it must be, at most so many rows of each table.
SELECT prune_records(%(rows_max)s);

-- name: make_audit_partitions
-- Keep the partitions of this month and the next ones ready.
SELECT premake_audit_log_partitions(%(months)s);
