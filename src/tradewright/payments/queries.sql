-- name: user
-- Read what payments need to know of a user.
SELECT kyc_level, status, clock_timestamp() - created_at
FROM users
WHERE id = %(user_id)s::uuid;

-- name: has_role
-- Tell whether a user has a role.
SELECT EXISTS (
    SELECT FROM user_roles
    WHERE user_id = %(user_id)s::uuid AND role = %(role)s
);

-- name: lock_wallet
-- Lock the user's wallet, opened first when asked: limits and states are decided under this lock.
SELECT (lock_wallet(%(user_id)s::uuid, %(currency)s, %(open)s)).holder_id IS NOT NULL;

-- name: payment
-- Read one payment.
SELECT
    id::text,
    user_id::text,
    kind,
    currency,
    amount,
    status,
    hold_id::text,
    approved_by::text,
    failure_reason,
    created_at,
    completed_at
FROM payment_transactions
WHERE id = %(payment_id)s::uuid;

-- name: lock_payment
-- Lock one payment, whose wallet is locked, and read it.
SELECT
    id::text,
    user_id::text,
    kind,
    currency,
    amount,
    status,
    hold_id::text,
    approved_by::text,
    failure_reason,
    created_at,
    completed_at
FROM payment_transactions
WHERE id = %(payment_id)s::uuid
FOR NO KEY UPDATE;

-- name: limit
-- Read the limit of a level, kind and currency.
SELECT amount_max, daily_max
FROM payment_limits
WHERE kyc_level = %(kyc_level)s AND kind = %(kind)s AND currency = %(currency)s;

-- name: day_sum
-- Sum the user's payments of this UTC day that were not lost: each takes its part of the limit.
SELECT coalesce(sum(amount), 0)
FROM payment_transactions
WHERE
    user_id = %(user_id)s::uuid
    AND kind = %(kind)s
    AND currency = %(currency)s
    AND status NOT IN ('failed', 'canceled')
    AND created_at >= date_trunc('day', clock_timestamp(), 'UTC');

-- name: history
-- Read the figures that a fraud check judges by, over 90 days.
SELECT
    count(*) FILTER (WHERE p.created_at > n.at - interval '1 hour') AS payments_last_hour,
    count(*) FILTER (WHERE p.status = 'failed' AND p.created_at > n.at - interval '1 day')
        AS failures_last_day,
    count(*) FILTER (WHERE p.is_alike) AS succeeded_count,
    avg(p.amount) FILTER (WHERE p.is_alike) AS amount_average,
    n.at - max(p.completed_at) FILTER (WHERE p.is_deposited) AS deposit_age,
    EXISTS (
        SELECT FROM trades AS t
        JOIN accounts AS a ON a.id = t.account_id
        WHERE a.user_id = %(user_id)s::uuid
          AND t.executed_at >= max(p.completed_at) FILTER (WHERE p.is_deposited)
    ) AS has_traded_since
FROM (SELECT clock_timestamp() AS at) AS n
LEFT JOIN (
    SELECT
        created_at,
        completed_at,
        status,
        amount,
        status = 'succeeded' AND kind = %(kind)s AND currency = %(currency)s AS is_alike,
        status = 'succeeded' AND kind = 'deposit' AS is_deposited
    FROM payment_transactions
    WHERE user_id = %(user_id)s::uuid
      AND id <> %(payment_id)s::uuid
      AND created_at > clock_timestamp() - interval '90 days'
) AS p ON true
GROUP BY n.at;

-- name: insert_payment
-- Write a new payment, pending.
INSERT INTO payment_transactions (id, user_id, kind, currency, amount)
VALUES (%(payment_id)s::uuid, %(user_id)s::uuid, %(kind)s, %(currency)s, %(amount)s);

-- name: insert_fraud_check
-- Keep what a fraud check found.
INSERT INTO fraud_checks (id, payment_id, risk_score, risk_level, findings)
VALUES (
    %(id)s::uuid, %(payment_id)s::uuid, %(risk_score)s, %(risk_level)s, %(findings)s::jsonb
);

-- name: move_payment
-- Take a payment to its next state; what is not given stays.
UPDATE payment_transactions
SET
    status = %(status)s,
    hold_id = coalesce(%(hold_id)s::uuid, hold_id),
    approved_by = coalesce(%(approved_by)s::uuid, approved_by),
    failure_reason = coalesce(%(failure_reason)s, failure_reason),
    completed_at = CASE
        WHEN %(status)s IN ('succeeded', 'failed', 'canceled') THEN clock_timestamp()
    END
WHERE id = %(payment_id)s::uuid
RETURNING
    id::text,
    user_id::text,
    kind,
    currency,
    amount,
    status,
    hold_id::text,
    approved_by::text,
    failure_reason,
    created_at,
    completed_at;
