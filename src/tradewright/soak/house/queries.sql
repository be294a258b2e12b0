-- name: open_logins
-- Make a login for what serves and trades, and one for the jobs.
CREATE ROLE soak_app LOGIN PASSWORD 'soak' IN ROLE tradewright_app;
CREATE ROLE soak_operator LOGIN PASSWORD 'soak' IN ROLE tradewright_operator, pg_monitor;

-- name: in_flight
-- Count what providers have not answered yet.
SELECT
    (SELECT count(*) FROM orders AS o WHERE o.is_routed)
    + (SELECT count(*) FROM hedges AS h WHERE h.status = 'open');

-- name: recorded_payments
-- Read every payment with what it asks for.
SELECT
    p.id::text,
    p.amount
FROM payment_transactions AS p
ORDER BY p.id;
