-- name: prepare
-- Let this transaction take its time, since a report may be read slowly, and tell times in UTC.
SELECT
    set_config('transaction_timeout', '0', true),
    set_config('idle_in_transaction_session_timeout', '0', true),
    set_config('TimeZone', 'UTC', true);

-- name: instant
-- Read when this transaction began by the server's clock, and what that says now.
SELECT transaction_timestamp(), clock_timestamp();

-- name: seals
-- Say how far the audit log and the ledger are sealed.
SELECT
    'audit',
    coalesce(
        (
            SELECT
                'sealed through seal ' || s.seq || ' of '
                || to_char(s.sealed_at, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
            FROM audit_seals AS s
            ORDER BY s.seq DESC
            LIMIT 1
        ),
        'not sealed yet'
    )
UNION ALL
SELECT
    'ledger',
    coalesce(
        (
            SELECT
                'sealed through seal ' || s.seq || ' of '
                || to_char(s.sealed_at, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
            FROM ledger_seals AS s
            ORDER BY s.seq DESC
            LIMIT 1
        ),
        'not sealed yet'
    );

-- name: there
-- Say whether an account, an order, a provider and an instrument are there; what is not asked for is.
SELECT
    %(account_id)s::uuid IS NULL OR EXISTS (SELECT FROM accounts WHERE id = %(account_id)s::uuid),
    %(order_id)s::uuid IS NULL OR EXISTS (SELECT FROM orders WHERE id = %(order_id)s::uuid),
    %(provider)s::text IS NULL
    OR EXISTS (SELECT FROM liquidity_providers WHERE code = %(provider)s::text),
    %(symbol)s::text IS NULL OR EXISTS (SELECT FROM instruments WHERE symbol = %(symbol)s::text);
