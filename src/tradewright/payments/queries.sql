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

-- name: wallet_is_closed
-- Tell whether a wallet, which is locked, is closed for ever.
SELECT EXISTS (
    SELECT FROM user_balances
    WHERE user_id = %(user_id)s::uuid AND currency = %(currency)s AND status = 'closed'
);

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
    completed_at,
    provider,
    reference,
    destination,
    arrived_at,
    counted_rate,
    counted_amount
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
    completed_at,
    provider,
    reference,
    destination,
    arrived_at,
    counted_rate,
    counted_amount
FROM payment_transactions
WHERE id = %(payment_id)s::uuid
FOR NO KEY UPDATE;

-- name: limit
-- Read the limit of a level and kind.
SELECT amount_max, daily_max, rolling_max
FROM payment_limits
WHERE kyc_level = %(kyc_level)s AND kind = %(kind)s;

-- name: limits
-- Read the limits of every level and kind.
SELECT kyc_level, kind, amount_max, daily_max, rolling_max
FROM payment_limits
ORDER BY kyc_level, kind;

-- name: lock_limit
-- Let one change of a limit wait for another, and read what holds.
SELECT amount_max, daily_max, rolling_max
FROM payment_limits
WHERE kyc_level = %(kyc_level)s AND kind = %(kind)s
FOR NO KEY UPDATE;

-- name: set_limit
-- Set the limit of a level and kind.
INSERT INTO payment_limits (kyc_level, kind, amount_max, daily_max, rolling_max)
VALUES (%(kyc_level)s, %(kind)s, %(amount_max)s, %(daily_max)s, %(rolling_max)s)
ON CONFLICT (kyc_level, kind) DO UPDATE
SET
    amount_max = excluded.amount_max,
    daily_max = excluded.daily_max,
    rolling_max = excluded.rolling_max
WHERE (
    payment_limits.amount_max, payment_limits.daily_max, payment_limits.rolling_max
) IS DISTINCT FROM (excluded.amount_max, excluded.daily_max, excluded.rolling_max);

-- name: take_turn_at_limit
-- Let payments of a user and kind, in whatever currency, be counted one after the other.
SELECT take_turn('payment_limit/' || %(kind)s::text || '/' || %(user_id)s::text);

-- name: used
-- Sum the user's other payments that were not lost, of the UTC day and within 30 times 24 hours of an instant; those not counted yet by currency.
SELECT
    CASE WHEN p.counted_amount IS NULL THEN p.currency END,
    coalesce(
        sum(coalesce(p.counted_amount, p.amount))
            FILTER (WHERE date_trunc('day', p.created_at, 'UTC') = date_trunc('day', n.at, 'UTC')),
        0
    ),
    sum(coalesce(p.counted_amount, p.amount))
FROM (SELECT coalesce(%(asked_at)s::timestamptz, clock_timestamp()) AS at) AS n
JOIN payment_transactions AS p
    ON p.user_id = %(user_id)s::uuid
    AND p.kind = %(kind)s
    AND p.id IS DISTINCT FROM %(payment_id)s::uuid
    AND p.status NOT IN ('failed', 'canceled', 'reversed')
    AND p.created_at > n.at - interval '720 hours'
    AND p.created_at < n.at + interval '720 hours'
GROUP BY 1;

-- name: count_payment
-- Note what a payment takes of its user's limits that came without a rate.
UPDATE payment_transactions
SET counted_rate = %(rate)s, counted_amount = %(amount)s
WHERE id = %(payment_id)s::uuid AND counted_amount IS NULL;

-- name: history
-- Read the figures that a fraud check judges by, over 90 days.
SELECT
    count(*) FILTER (WHERE p.created_at > n.at - interval '1 hour') + r.last_hour AS payments_last_hour,
    count(*) FILTER (WHERE p.status = 'failed' AND p.created_at > n.at - interval '1 day') + r.last_day
        AS failures_last_day,
    count(*) FILTER (WHERE p.is_alike) AS succeeded_count,
    avg(p.counted_amount) FILTER (WHERE p.is_alike) AS amount_average,
    n.at - max(p.completed_at) FILTER (WHERE p.is_deposited) AS deposit_age,
    EXISTS (
        SELECT FROM trades AS t
        JOIN accounts AS a ON a.id = t.account_id
        WHERE a.user_id = %(user_id)s::uuid
          AND t.executed_at >= max(p.completed_at) FILTER (WHERE p.is_deposited)
    ) AS has_traded_since
FROM (SELECT clock_timestamp() AS at) AS n
CROSS JOIN LATERAL (
    SELECT
        count(*) AS last_day,
        count(*) FILTER (WHERE refused_at > n.at - interval '1 hour') AS last_hour
    FROM payment_refusals
    WHERE user_id = %(user_id)s::uuid AND refused_at > n.at - interval '1 day'
) AS r
LEFT JOIN (
    SELECT
        created_at,
        completed_at,
        status,
        counted_amount,
        status = 'succeeded' AND kind = %(kind)s AS is_alike,
        status = 'succeeded' AND kind = 'deposit' AS is_deposited
    FROM payment_transactions
    WHERE user_id = %(user_id)s::uuid
      AND id <> %(payment_id)s::uuid
      AND created_at > clock_timestamp() - interval '90 days'
) AS p ON true
GROUP BY n.at, r.last_day, r.last_hour;

-- name: origin
-- Read who else was seen on the device and at the address of a payment, and what it is worth.
SELECT
    (SELECT count(*) FROM user_devices AS d WHERE d.fingerprint = mine.fingerprint),
    clock_timestamp() - mine.first_seen_at,
    (SELECT count(*) FROM user_ip_addresses AS i WHERE i.address = here.address),
    (
        SELECT count(*)
        FROM user_ip_addresses AS i
        JOIN payment_transactions AS q
            ON q.ip_address_id = i.id
            AND q.id <> p.id
            AND q.created_at > clock_timestamp() - interval '1 hour'
        WHERE i.address = here.address
    ) + (
        SELECT count(*)
        FROM user_ip_addresses AS i
        JOIN payment_refusals AS r
            ON r.ip_address_id = i.id
            AND r.refused_at > clock_timestamp() - interval '1 hour'
        WHERE i.address = here.address
    ),
    p.counted_amount,
    p.device_id IS NULL AND EXISTS (SELECT FROM user_devices AS d WHERE d.user_id = p.user_id)
FROM payment_transactions AS p
LEFT JOIN user_devices AS mine ON mine.id = p.device_id
LEFT JOIN user_ip_addresses AS here ON here.id = p.ip_address_id
WHERE p.id = %(payment_id)s::uuid;

-- name: see_device
-- Note that a user was seen on a device.
INSERT INTO user_devices (user_id, fingerprint)
VALUES (%(user_id)s::uuid, %(device)s)
ON CONFLICT (user_id, fingerprint) DO UPDATE SET last_seen_at = clock_timestamp()
RETURNING id::text;

-- name: see_ip_address
-- Note that a user was seen at an address.
INSERT INTO user_ip_addresses (user_id, address)
VALUES (%(user_id)s::uuid, %(ip_address)s::inet)
ON CONFLICT (user_id, address) DO UPDATE SET last_seen_at = clock_timestamp()
RETURNING id::text;

-- name: insert_payment
-- Write a new payment, pending.
INSERT INTO payment_transactions (
    id, user_id, kind, currency, amount, counted_rate, counted_amount, provider, reference, destination,
    device_id, ip_address_id
) VALUES (
    %(payment_id)s::uuid, %(user_id)s::uuid, %(kind)s, %(currency)s, %(amount)s, %(counted_rate)s,
    %(counted_amount)s, %(provider)s, %(reference)s, %(destination)s, %(device_id)s::uuid,
    %(ip_address_id)s::uuid
);

-- name: insert_refusal
-- Note that a payment was refused before it began.
INSERT INTO payment_refusals (user_id, kind, code, ip_address_id)
VALUES (%(user_id)s::uuid, %(kind)s, %(code)s, %(ip_address_id)s::uuid);

-- name: refusals
-- Read what was refused before it began, the newest first.
SELECT r.id::text, r.user_id::text, r.kind, r.code, host(i.address), r.refused_at
FROM payment_refusals AS r
LEFT JOIN user_ip_addresses AS i ON i.id = r.ip_address_id
WHERE %(user_id)s::uuid IS NULL OR r.user_id = %(user_id)s::uuid
ORDER BY r.refused_at DESC, r.id DESC
LIMIT %(count_max)s::integer;

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
    failure_reason = CASE
        WHEN %(status)s IN ('failed', 'canceled', 'conflicted', 'reversed') THEN %(failure_reason)s
    END,
    reference = coalesce(reference, %(reference)s),
    arrived_at = CASE
        WHEN kind = 'deposit' AND %(status)s IN ('requires_approval', 'succeeded')
            THEN coalesce(arrived_at, clock_timestamp())
        ELSE arrived_at
    END,
    completed_at = CASE
        WHEN %(status)s IN ('succeeded', 'failed', 'canceled', 'reversed') THEN clock_timestamp()
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
    completed_at,
    provider,
    reference,
    destination,
    arrived_at,
    counted_rate,
    counted_amount;

-- name: payment_by_reference
-- Find a payment by the provider's own name for it.
SELECT id::text
FROM payment_transactions
WHERE provider = %(provider)s AND reference = %(reference)s;

-- name: verdict
-- Read the level of a payment's last fraud check.
SELECT risk_level
FROM fraud_checks
WHERE payment_id = %(payment_id)s::uuid
ORDER BY created_at DESC
LIMIT 1;

-- name: list_payments
-- List payments, the newest first.
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
    completed_at,
    provider,
    reference,
    destination,
    arrived_at,
    counted_rate,
    counted_amount
FROM payment_transactions
WHERE (%(status)s::text IS NULL OR status = %(status)s)
  AND (%(kind)s::text IS NULL OR kind = %(kind)s)
  AND (%(user_id)s::uuid IS NULL OR user_id = %(user_id)s::uuid)
  AND (
      %(before)s::uuid IS NULL
      OR (created_at, id) < (
          SELECT b.created_at, b.id FROM payment_transactions AS b WHERE b.id = %(before)s::uuid
      )
  )
ORDER BY created_at DESC, id DESC
LIMIT %(count_max)s::integer;

-- name: fraud_checks_of
-- Read the fraud checks of a payment, oldest first.
SELECT risk_score, risk_level, findings
FROM fraud_checks
WHERE payment_id = %(payment_id)s::uuid
ORDER BY created_at;

-- name: this_instant
-- Read the server's clock.
SELECT clock_timestamp();

-- name: next_payment_due
-- Read the next payment, by age, that a provider has not been told of yet; to who owes, or is not active, nothing is paid.
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
    completed_at,
    provider,
    reference,
    destination,
    arrived_at,
    counted_rate,
    counted_amount
FROM payment_transactions AS p
WHERE submitted_at IS NULL
  AND provider = %(provider)s
  AND (kind, status) IN (('deposit', 'pending'), ('withdrawal', 'processing'))
  AND reference IS NULL
  AND (
      kind = 'deposit'
      OR (
          NOT EXISTS (SELECT FROM receivables AS r WHERE r.user_id = p.user_id AND r.remaining > 0)
          AND EXISTS (SELECT FROM users AS u WHERE u.id = p.user_id AND u.status = 'active')
      )
  )
  AND (created_at, id) > (%(after_created_at)s::timestamptz, %(after_id)s::uuid)
  AND created_at <= %(until)s
ORDER BY created_at, id
LIMIT 1;

-- name: mark_submitted
-- Note that the provider has taken the order.
UPDATE payment_transactions
SET submitted_at = clock_timestamp()
WHERE id = %(payment_id)s::uuid AND submitted_at IS NULL;

-- name: insert_address
-- Give a deposit address to a user for ever.
INSERT INTO deposit_addresses (provider, address, user_id, currency)
VALUES (%(provider)s, %(address)s, %(user_id)s::uuid, %(currency)s);

-- name: address_owner
-- Read whose deposit arrives at an address.
SELECT user_id::text, currency
FROM deposit_addresses
WHERE provider = %(provider)s AND address = %(address)s;

-- name: insert_receivable
-- Note what a client owes.
INSERT INTO receivables (id, user_id, currency, payment_id, amount, remaining)
VALUES (
    %(id)s::uuid, %(user_id)s::uuid, %(currency)s, %(payment_id)s::uuid, %(amount)s, %(amount)s
);

-- name: open_receivables
-- Read what a client owes in a currency, oldest first, under lock.
SELECT remaining
FROM receivables
WHERE user_id = %(user_id)s::uuid AND currency = %(currency)s AND remaining > 0
ORDER BY id
FOR UPDATE;

-- name: collectable_debts
-- Read whose wallets hold something and owe something, in which currency.
SELECT DISTINCT r.user_id::text, r.currency
FROM receivables AS r
JOIN user_balances AS w ON (w.user_id, w.currency) = (r.user_id, r.currency)
WHERE r.remaining > 0 AND w.available > 0 AND w.status = 'active'
ORDER BY 1, 2;

-- name: owed
-- Sum what a client owes, in all currencies, by currency.
SELECT currency, sum(remaining)
FROM receivables
WHERE user_id = %(user_id)s::uuid AND remaining > 0
GROUP BY currency
ORDER BY currency;

-- name: available
-- Read what is available in a wallet that is locked.
SELECT available
FROM user_balances
WHERE user_id = %(user_id)s::uuid AND currency = %(currency)s;

-- name: record_rate
-- Keep a rate; the same observation again is not written again.
INSERT INTO exchange_rates (base_currency, quote_currency, rate, source, observed_at)
VALUES (%(base)s, %(quote)s, %(rate)s, %(source)s, %(observed_at)s)
ON CONFLICT (base_currency, quote_currency, observed_at, source) DO NOTHING
RETURNING id::text;

-- name: newest_rate
-- Read the newest rate of a pair with its age; one whose instant has not come yet is none.
SELECT rate, source, observed_at, clock_timestamp() - observed_at
FROM exchange_rates
WHERE base_currency = %(base)s
  AND quote_currency = %(quote)s
  AND observed_at <= clock_timestamp()
ORDER BY observed_at DESC, created_at DESC
LIMIT 1;

-- name: set_reference
-- Note the provider's own name for a payment that has none yet.
UPDATE payment_transactions
SET reference = %(reference)s
WHERE id = %(payment_id)s::uuid AND reference IS NULL;

-- name: has_left
-- Tell whether money went out to a provider under a withdrawal's or claim's id.
SELECT EXISTS (
    SELECT FROM balance_ledger
    WHERE transaction_id = %(id)s::uuid AND operation IN ('capture', 'debit')
);

-- name: insert_claim
-- Write a new refund or dispute.
INSERT INTO payment_claims (id, kind, payment_id, amount, reference, reason, status, hold_id, completed_at)
VALUES (
    %(id)s::uuid, %(kind)s, %(payment_id)s::uuid, %(amount)s, %(reference)s, %(reason)s,
    %(status)s, %(hold_id)s::uuid,
    CASE WHEN %(status)s NOT IN ('pending', 'opened') THEN clock_timestamp() END
)
RETURNING
    id::text,
    kind,
    payment_id::text,
    amount,
    reference,
    reason,
    status,
    hold_id::text,
    created_at,
    completed_at;

-- name: move_claim
-- Take a refund or dispute to its next state.
UPDATE payment_claims
SET
    status = %(status)s,
    reference = coalesce(reference, %(reference)s),
    completed_at = clock_timestamp()
WHERE id = %(id)s::uuid
RETURNING
    id::text,
    kind,
    payment_id::text,
    amount,
    reference,
    reason,
    status,
    hold_id::text,
    created_at,
    completed_at;

-- name: claim
-- Read one refund or dispute.
SELECT
    id::text,
    kind,
    payment_id::text,
    amount,
    reference,
    reason,
    status,
    hold_id::text,
    created_at,
    completed_at
FROM payment_claims
WHERE id = %(id)s::uuid;

-- name: list_claims
-- List refunds and disputes with whose they are and in which currency, the newest first.
SELECT
    c.id::text,
    c.kind,
    c.payment_id::text,
    p.user_id::text,
    p.currency,
    c.amount,
    c.reason,
    c.status,
    c.created_at,
    c.completed_at
FROM payment_claims AS c
JOIN payment_transactions AS p ON p.id = c.payment_id
WHERE (%(user_id)s::uuid IS NULL OR p.user_id = %(user_id)s::uuid)
  AND (%(payment_id)s::uuid IS NULL OR c.payment_id = %(payment_id)s::uuid)
  AND (%(id)s::uuid IS NULL OR c.id = %(id)s::uuid)
  AND (%(kind)s::text IS NULL OR c.kind = %(kind)s)
  AND (c.completed_at IS NULL OR %(with_ended)s::boolean)
  AND (
      %(before)s::uuid IS NULL
      OR (c.created_at, c.id) < (SELECT b.created_at, b.id FROM payment_claims AS b WHERE b.id = %(before)s::uuid)
  )
ORDER BY c.created_at DESC, c.id DESC
LIMIT %(count_max)s::integer;

-- name: claims_of
-- Read the refunds and disputes of a deposit, oldest first.
SELECT
    id::text,
    kind,
    payment_id::text,
    amount,
    reference,
    reason,
    status,
    hold_id::text,
    created_at,
    completed_at
FROM payment_claims
WHERE payment_id = %(payment_id)s::uuid
ORDER BY created_at, id;

-- name: next_refund_due
-- Read the next refund, by age, that a provider has not been asked for yet, with its payment's reference.
SELECT
    c.id::text,
    c.kind,
    c.payment_id::text,
    c.amount,
    c.reference,
    c.reason,
    c.status,
    c.hold_id::text,
    c.created_at,
    c.completed_at,
    p.reference
FROM payment_claims AS c
JOIN payment_transactions AS p ON p.id = c.payment_id AND p.provider = %(provider)s
WHERE c.kind = 'refund'
  AND c.completed_at IS NULL
  AND c.submitted_at IS NULL
  AND c.reference IS NULL
  AND (c.created_at, c.id) > (%(after_created_at)s::timestamptz, %(after_id)s::uuid)
  AND c.created_at <= %(until)s
ORDER BY c.created_at, c.id
LIMIT 1;

-- name: mark_refund_submitted
-- Note that the provider has taken the refund.
UPDATE payment_claims
SET submitted_at = clock_timestamp()
WHERE id = %(id)s::uuid AND submitted_at IS NULL;

-- name: claim_outbox_event
-- Claim the longest due event that is the oldest undelivered of its object, for a while.
UPDATE outbox_events
SET
    attempt_count = attempt_count + 1,
    next_attempt_at = clock_timestamp() + %(lease)s::interval
WHERE id = (
    SELECT o.id
    FROM outbox_events AS o
    WHERE o.delivered_at IS NULL
      AND o.given_up_at IS NULL
      AND o.next_attempt_at <= clock_timestamp()
      AND NOT EXISTS (
          SELECT FROM outbox_events AS earlier
          WHERE earlier.aggregate_id = o.aggregate_id
            AND earlier.seq < o.seq
            AND earlier.delivered_at IS NULL
            AND earlier.given_up_at IS NULL
      )
    ORDER BY o.next_attempt_at, o.id
    LIMIT 1
    FOR UPDATE SKIP LOCKED
)
RETURNING id::text, event_type, body, created_at, attempt_count;

-- name: note_outbox_answer
-- Note what the receiver answered to an event.
UPDATE outbox_events
SET
    delivered_at = CASE WHEN %(became)s = 'delivered' THEN clock_timestamp() END,
    given_up_at = CASE WHEN %(became)s = 'given_up' THEN clock_timestamp() END,
    next_attempt_at = clock_timestamp() + %(pause)s::interval,
    last_answer = %(answer)s
WHERE id = %(id)s::uuid AND delivered_at IS NULL AND given_up_at IS NULL;

-- name: insert_suspense_item
-- Note what came for a deposit that was refused, with the transfer that has moved it.
INSERT INTO suspense_items (id, payment_id, currency, amount, reason, opened_by, transfer_id)
VALUES (
    %(id)s::uuid, %(payment_id)s::uuid, %(currency)s, %(amount)s, %(reason)s, %(opened_by)s::uuid,
    %(transfer_id)s::uuid
);

-- name: insert_suspense_return
-- Write how money leaves suspense, with the transfers that have moved it.
INSERT INTO suspense_returns (
    id, item_id, kind, destination, reference, reason, status, returned_by, transfer_id, reversal_id, completed_at
) VALUES (
    %(id)s::uuid, %(item_id)s::uuid, %(kind)s, %(destination)s, %(reference)s, %(reason)s, %(status)s,
    %(returned_by)s::uuid, %(transfer_id)s::uuid, %(reversal_id)s::uuid,
    CASE WHEN %(status)s <> 'pending' THEN clock_timestamp() END
);

-- name: move_suspense_return
-- Take a return from suspense to its next state, with the transfers that have moved its money.
UPDATE suspense_returns
SET
    status = %(status)s,
    reference = coalesce(reference, %(reference)s),
    transfer_id = coalesce(transfer_id, %(transfer_id)s::uuid),
    reversal_id = coalesce(reversal_id, %(reversal_id)s::uuid),
    completed_at = CASE WHEN %(status)s <> 'pending' THEN clock_timestamp() END
WHERE id = %(id)s::uuid;

-- name: suspense_return
-- Read how money leaves suspense, by its own id.
SELECT
    r.id::text,
    r.item_id::text,
    i.payment_id::text,
    r.kind,
    p.provider,
    i.currency,
    i.amount,
    r.destination,
    r.reference,
    r.reason,
    r.status,
    r.returned_by::text,
    r.transfer_id IS NOT NULL,
    p.reference,
    r.created_at
FROM suspense_returns AS r
JOIN suspense_items AS i ON i.id = r.item_id
JOIN payment_transactions AS p ON p.id = i.payment_id
WHERE r.id = %(id)s::uuid;

-- name: next_send_back_due
-- Read the next return, by age, that a provider has not been asked for yet.
SELECT
    r.id::text,
    r.item_id::text,
    i.payment_id::text,
    r.kind,
    p.provider,
    i.currency,
    i.amount,
    r.destination,
    r.reference,
    r.reason,
    r.status,
    r.returned_by::text,
    r.transfer_id IS NOT NULL,
    p.reference,
    r.created_at
FROM suspense_returns AS r
JOIN suspense_items AS i ON i.id = r.item_id
JOIN payment_transactions AS p ON p.id = i.payment_id AND p.provider = %(provider)s
WHERE r.status = 'pending'
  AND r.submitted_at IS NULL
  AND r.reference IS NULL
  AND (r.created_at, r.id) > (%(after_created_at)s::timestamptz, %(after_id)s::uuid)
  AND r.created_at <= %(until)s
ORDER BY r.created_at, r.id
LIMIT 1;

-- name: end_send_back_before_it_goes
-- End a return that no provider was asked for yet, because the coins are gone.
UPDATE suspense_returns
SET status = 'failed', completed_at = clock_timestamp()
WHERE item_id = %(item_id)s::uuid AND status = 'pending' AND submitted_at IS NULL AND reference IS NULL
RETURNING id::text;

-- name: mark_send_back_submitted
-- Note that the provider has taken the order to send money back.
UPDATE suspense_returns
SET submitted_at = clock_timestamp()
WHERE id = %(id)s::uuid AND submitted_at IS NULL;

-- name: note_arrival
-- Note that the money of a deposit has come, when nobody has told so yet.
UPDATE payment_transactions
SET arrived_at = clock_timestamp()
WHERE id = %(payment_id)s::uuid AND arrived_at IS NULL;

-- name: suspense_of
-- Find what is, or was, in suspense of a deposit.
SELECT id::text FROM suspense_items WHERE payment_id = %(payment_id)s::uuid;

-- name: suspense_items
-- Read the money in suspense, one or all: what is still there first, the oldest of it on top.
SELECT
    i.id::text,
    i.payment_id::text,
    p.provider,
    i.currency,
    i.amount,
    i.reason,
    i.opened_by::text,
    i.opened_at,
    CASE WHEN s.status = 'succeeded' THEN s.completed_at ELSE clock_timestamp() END - i.opened_at,
    CASE s.status WHEN 'pending' THEN 'going back' WHEN 'succeeded' THEN 'gone' ELSE 'held' END,
    s.kind,
    s.reference,
    s.returned_by::text,
    CASE WHEN s.status = 'succeeded' THEN s.completed_at END
FROM suspense_items AS i
JOIN payment_transactions AS p ON p.id = i.payment_id
LEFT JOIN suspense_returns AS s ON s.item_id = i.id AND s.status <> 'failed'
WHERE %(id)s::uuid IS NULL OR i.id = %(id)s::uuid
ORDER BY
    s.status IS NOT DISTINCT FROM 'succeeded',
    CASE WHEN s.status IS DISTINCT FROM 'succeeded' THEN i.opened_at END,
    s.completed_at DESC
LIMIT %(count_max)s::integer;
