-- bad: in a file, and in a function
REFRESH MATERIALIZED VIEW totals; -- <-
CREATE FUNCTION refresh_totals() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    REFRESH MATERIALIZED VIEW totals; -- <-
END
$$;

-- repaired: concurrently
REFRESH MATERIALIZED VIEW CONCURRENTLY totals;

-- near miss: filled for the first time
CREATE TABLE payments (id uuid PRIMARY KEY);
CREATE MATERIALIZED VIEW totals AS SELECT id FROM payments WITH NO DATA;
CREATE UNIQUE INDEX totals_once ON totals (id);
REFRESH MATERIALIZED VIEW totals;
