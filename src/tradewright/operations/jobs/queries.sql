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

-- name: record_rates
-- Record what each currency is worth in one, by the middle of the newest price between the two.
INSERT INTO exchange_rates (base_currency, quote_currency, rate, source, observed_at)
SELECT DISTINCT ON (w.currency) w.currency, %(currency)s, round(w.worth, 8), 'last price', w.quoted_at
FROM (
    SELECT i.base_currency AS currency, (p.bid + p.ask) / 2 AS worth, p.quoted_at
    FROM last_prices AS p
    JOIN instruments AS i ON i.symbol = p.symbol
    WHERE i.quote_currency = %(currency)s
    UNION ALL
    SELECT i.quote_currency, 2 / (p.bid + p.ask), p.quoted_at
    FROM last_prices AS p
    JOIN instruments AS i ON i.symbol = p.symbol
    WHERE i.base_currency = %(currency)s
) AS w
WHERE w.quoted_at <= clock_timestamp() AND round(w.worth, 8) > 0
ORDER BY w.currency, w.quoted_at DESC
ON CONFLICT ON CONSTRAINT exchange_rates_one_per_instant DO NOTHING;
