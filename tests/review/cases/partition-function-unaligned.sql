-- bad: the date as it came
CREATE FUNCTION create_audit_log_partition(month_date DATE) RETURNS void AS $$ -- <-
DECLARE
    partition_name TEXT;
    next_month DATE;
BEGIN
    partition_name := 'audit_log_' || to_char(month_date, 'YYYY_MM');
    next_month := month_date + interval '1 month';
    EXECUTE format(
        'CREATE TABLE IF NOT EXISTS %I PARTITION OF audit_log
         FOR VALUES FROM (%L) TO (%L)', partition_name, month_date, next_month);
END
$$ LANGUAGE plpgsql;

-- repaired: aligned
CREATE FUNCTION create_audit_log_partition(month_date date) RETURNS void AS $$
DECLARE
    first_day date := date_trunc('month', month_date)::date;
BEGIN
    EXECUTE format(
        'CREATE TABLE IF NOT EXISTS %I PARTITION OF audit_log FOR VALUES FROM (%L) TO (%L)',
        'audit_log_' || to_char(first_day, 'YYYY_MM'), first_day, first_day + interval '1 month');
END
$$ LANGUAGE plpgsql;

-- near miss: it takes numbers
CREATE FUNCTION create_part(bucket integer) RETURNS void AS $$
BEGIN
    EXECUTE format('CREATE TABLE %I PARTITION OF logs FOR VALUES FROM (%L) TO (%L)', 'p' || bucket, bucket, bucket + 1);
END
$$ LANGUAGE plpgsql;
