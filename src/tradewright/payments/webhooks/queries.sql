-- name: lock_reference
-- Take the messages about one payment one after the other, even before the payment exists.
SELECT take_turn('webhook/' || %(name)s::text);

-- name: keep
-- Keep a signed message, once.
INSERT INTO webhook_events (provider, event_id, event_type, reference, body)
VALUES (%(provider)s, %(event_id)s, %(event_type)s, %(reference)s, %(body)s)
ON CONFLICT (provider, event_id) DO NOTHING
RETURNING id::text;

-- name: kept
-- Read a message that came before.
SELECT body, payment_id::text
FROM webhook_events
WHERE provider = %(provider)s AND event_id = %(event_id)s;

-- name: mark
-- Note what became of a message.
UPDATE webhook_events
SET
    status = %(status)s,
    outcome = %(outcome)s,
    payment_id = coalesce(%(payment_id)s::uuid, payment_id),
    processed_at = CASE WHEN %(status)s <> 'waiting' THEN clock_timestamp() END
WHERE id = %(id)s::uuid;

-- name: waiting
-- Read the messages that wait for what a payment has yet to become, oldest first.
SELECT id::text, body
FROM webhook_events
WHERE provider = %(provider)s AND reference = %(reference)s AND status = 'waiting'
ORDER BY id;

-- name: waiting_references
-- Find the payments that messages wait for.
SELECT DISTINCT reference
FROM webhook_events
WHERE provider = %(provider)s AND status = 'waiting'
ORDER BY reference;

-- name: raise_long_waiting
-- Tell people, once for each, which messages have waited for longer than they should.
INSERT INTO alerts (severity, kind, about, what)
SELECT
    'warning',
    'message_waiting',
    e.id::text,
    format('message %%s of provider %%s about %%s has waited since %%s: %%s',
        e.event_id, e.provider, e.reference, date_trunc('second', e.received_at), e.outcome)
FROM webhook_events AS e
WHERE e.status = 'waiting'
  AND e.received_at < clock_timestamp() - %(waited)s::interval
  AND NOT EXISTS (
      SELECT FROM alerts AS a
      WHERE a.kind = 'message_waiting' AND a.about = e.id::text AND a.resolved_at IS NULL
  )
ON CONFLICT (kind, about) WHERE acknowledged_at IS NULL AND resolved_at IS NULL DO NOTHING
RETURNING id;

-- name: list_events
-- List messages of a status, the newest first.
SELECT event_id, provider, event_type, reference, status, outcome, payment_id::text, received_at
FROM webhook_events
WHERE %(status)s::text IS NULL OR status = %(status)s
ORDER BY id DESC
LIMIT %(count_max)s::integer;

-- name: reopen
-- Let a message that was in conflict be tried again, once what stood in its way is gone.
UPDATE webhook_events
SET status = 'waiting', processed_at = NULL
WHERE provider = %(provider)s AND event_id = %(event_id)s AND status = 'conflicted'
RETURNING reference;

-- name: status_of
-- Read what became of a message.
SELECT status, outcome
FROM webhook_events
WHERE provider = %(provider)s AND event_id = %(event_id)s;
