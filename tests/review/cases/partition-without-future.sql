-- bad: one month
CREATE TABLE logs (id uuid NOT NULL, at timestamptz NOT NULL, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
CREATE TABLE logs_2026_01 PARTITION OF logs -- <-
    FOR VALUES FROM ('2026-01-01 00:00:00+00') TO ('2026-02-01 00:00:00+00');

-- bad: none
CREATE TABLE logs (id uuid NOT NULL, at timestamptz NOT NULL, PRIMARY KEY (id, at)) PARTITION BY RANGE (at); -- <-

-- repaired: a function makes them
CREATE TABLE logs (id uuid NOT NULL, at timestamptz NOT NULL, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
CREATE FUNCTION make_partition(p_at timestamptz) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    first_day timestamptz := date_trunc('month', p_at, 'UTC');
BEGIN
    EXECUTE format('CREATE TABLE %I PARTITION OF logs FOR VALUES FROM (%L) TO (%L)',
        to_char(first_day, '"logs_"YYYY_MM'), first_day, first_day + interval '1 month');
END
$$;

-- near miss: partitioned by hash
CREATE TABLE logs (id uuid PRIMARY KEY) PARTITION BY HASH (id);
CREATE TABLE logs_0 PARTITION OF logs FOR VALUES WITH (MODULUS 1, REMAINDER 0);
