-- name: make_audit_partitions
-- Keep the partitions of this month and the next ones ready.
SELECT premake_audit_log_partitions(%(months)s);
