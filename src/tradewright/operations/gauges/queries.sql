-- name: one_moment
-- Let all that is read in this transaction be of one moment, and change nothing.
SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY;

-- name: alerts_open
-- Count the alerts that wait for people, by kind and severity.
SELECT kind, severity, count(*)
FROM alerts
WHERE acknowledged_at IS NULL AND resolved_at IS NULL
GROUP BY kind, severity
ORDER BY kind, severity;

-- name: job_overdue_seconds
-- Read for how long each job has been due.
SELECT name, greatest(extract(epoch FROM clock_timestamp() - next_due_at), 0)
FROM jobs
WHERE is_enabled
ORDER BY name;

-- name: job_failures
-- Read how often each job has failed in a row.
SELECT name, failure_count
FROM jobs
WHERE is_enabled
ORDER BY name;

-- name: engines_alive
-- Count the engines whose lock is held by who may write it.
SELECT count(*)
FROM engines AS e
WHERE e.taken_over_by IS NULL
  AND hashtextextended(current_schema() || '/engine/' || e.id, 0) IN (
      SELECT (l.classid::bigint << 32) | l.objid::bigint
      FROM pg_locks AS l
      JOIN pg_stat_activity AS a ON a.pid = l.pid AND a.datname = current_database()
      WHERE l.locktype = 'advisory'
        AND l.objsubid = 1
        AND l.granted
        AND has_table_privilege(a.usesysid, 'engines', 'INSERT')
  );

-- name: engines_lost
-- Count the engines that are gone with orders or hedges at providers, and were not taken over.
SELECT count(*)
FROM engines AS e
WHERE e.taken_over_by IS NULL
  AND hashtextextended(current_schema() || '/engine/' || e.id, 0) NOT IN (
      SELECT (l.classid::bigint << 32) | l.objid::bigint
      FROM pg_locks AS l
      JOIN pg_stat_activity AS a ON a.pid = l.pid AND a.datname = current_database()
      WHERE l.locktype = 'advisory'
        AND l.objsubid = 1
        AND l.granted
        AND has_table_privilege(a.usesysid, 'engines', 'INSERT')
  )
  AND (
      EXISTS (
          SELECT
          FROM orders AS o
          WHERE o.engine_id = e.id AND o.is_routed AND o.remaining_quantity > 0
            AND o.status IN ('pending_new', 'new', 'partially_filled', 'pending_cancel', 'pending_replace')
      )
      OR EXISTS (SELECT FROM hedges AS h WHERE h.engine_id = e.id AND h.status = 'open')
  );

-- name: exposure
-- Read the house's net position in each symbol, as batches have left it.
SELECT symbol, net
FROM kept_exposures
ORDER BY symbol;

-- name: hedges_open
-- Count hedges that have no end yet.
SELECT symbol, count(*)
FROM hedges
WHERE status = 'open'
GROUP BY symbol
ORDER BY symbol;

-- name: price_age_seconds
-- Read how old the last price of each symbol is that an engine has kept.
SELECT symbol, greatest(extract(epoch FROM clock_timestamp() - quoted_at), 0)
FROM last_prices
ORDER BY symbol;

-- name: halts_in_force
-- Count halts that are in force, by how far they go and whom they are about.
SELECT mode, scope, count(*)
FROM trading_halts
WHERE lifted_at IS NULL
GROUP BY mode, scope
ORDER BY mode, scope;

-- name: breakers_not_armed
-- Read circuit breakers that stop trading or have just done so.
SELECT b.code, last.to_state, 1
FROM circuit_breakers AS b
CROSS JOIN LATERAL (
    SELECT e.to_state
    FROM circuit_breaker_events AS e
    WHERE e.breaker_id = b.id
    ORDER BY e.seq DESC
    LIMIT 1
) AS last
WHERE last.to_state IN ('triggered', 'cooling_down')
ORDER BY b.code;

-- name: margin_calls_open
-- Count margin calls that are not over.
SELECT count(*)
FROM margin_calls
WHERE resolved_at IS NULL;

-- name: unsolicited_fills_open
-- Count executions that fit no order and that nobody has settled.
SELECT p.code, count(*)
FROM unsolicited_fills AS u
JOIN liquidity_providers AS p ON p.id = u.provider_id
WHERE NOT EXISTS (SELECT FROM unsolicited_fill_resolutions AS r WHERE r.fill_id = u.id)
GROUP BY p.code
ORDER BY p.code;

-- name: provider_breaks_open
-- Count differences to the lists of liquidity providers.
SELECT p.code, b.bucket, count(*)
FROM provider_trade_breaks AS b
JOIN liquidity_providers AS p ON p.id = b.provider_id
WHERE b.closed_at IS NULL
GROUP BY p.code, b.bucket
ORDER BY p.code, b.bucket;

-- name: payment_breaks_open
-- Count differences to the statements of payment providers.
SELECT provider, bucket, count(*)
FROM reconciliation_breaks
WHERE closed_at IS NULL
GROUP BY provider, bucket
ORDER BY provider, bucket;

-- name: payments_unsubmitted
-- Count payments that a provider has not been asked for.
SELECT provider, count(*)
FROM payment_transactions
WHERE submitted_at IS NULL AND provider <> 'direct' AND status IN ('pending', 'processing')
GROUP BY provider
ORDER BY provider;

-- name: payments_unsubmitted_oldest_seconds
-- Read since when the oldest payment waits for its provider.
SELECT provider, extract(epoch FROM clock_timestamp() - min(created_at))
FROM payment_transactions
WHERE submitted_at IS NULL AND provider <> 'direct' AND status IN ('pending', 'processing')
GROUP BY provider
ORDER BY provider;

-- name: claims_open
-- Count refunds and disputes without an end.
SELECT kind, count(*)
FROM payment_claims
WHERE completed_at IS NULL
GROUP BY kind
ORDER BY kind;

-- name: webhooks_waiting
-- Count messages that came before what they build on.
SELECT provider, count(*)
FROM webhook_events
WHERE status = 'waiting'
GROUP BY provider
ORDER BY provider;

-- name: outbox_waiting
-- Count events that are still to be delivered.
SELECT count(*)
FROM outbox_events
WHERE delivered_at IS NULL AND given_up_at IS NULL;

-- name: outbox_oldest_seconds
-- Read since when the oldest event waits to be delivered.
SELECT coalesce(extract(epoch FROM clock_timestamp() - min(created_at)), 0)
FROM outbox_events
WHERE delivered_at IS NULL AND given_up_at IS NULL;

-- name: owed_by_clients
-- Sum up what clients owe, by currency.
SELECT currency, sum(remaining)
FROM receivables
WHERE remaining > 0
GROUP BY currency
ORDER BY currency;

-- name: ledger_unsealed_seconds
-- Read since when the oldest movement of money waits for its seal.
SELECT coalesce(extract(epoch FROM clock_timestamp() - min(created_at)), 0)
FROM transfers
WHERE txid >= (SELECT coalesce(max(to_txid), 0) FROM ledger_seals);

-- name: audit_months_ahead
-- Count the months beyond this one for which the audit log has a partition.
SELECT count(*)
FROM audit_months
WHERE is_attached AND month > (clock_timestamp() AT TIME ZONE 'UTC')::date;

-- name: backup_age_seconds
-- Read how far back the newest good one of each kind reaches.
SELECT kind, extract(epoch FROM clock_timestamp() - max(covers_until))
FROM backup_runs
WHERE outcome = 'succeeded'
GROUP BY kind
ORDER BY kind;

-- name: view_age_seconds
-- Read how old the figures are that each reporting view shows.
SELECT v.name, extract(epoch FROM clock_timestamp() - max(r.as_of))
FROM reporting_views AS v
JOIN view_refreshes AS r ON r.view_name = v.name AND r.as_of IS NOT NULL
GROUP BY v.name
ORDER BY v.name;

-- name: clock_divergence_seconds
-- Read what the last sample of each host's clock allows for at the most.
SELECT DISTINCT ON (host) host, divergence_us_max / 1000000
FROM clock_samples
WHERE divergence_us_max IS NOT NULL AND sampled_at > clock_timestamp() - interval '1 hour'
ORDER BY host, sampled_at DESC;
