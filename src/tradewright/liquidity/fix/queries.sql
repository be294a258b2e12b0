-- name: take_turn
-- Let one process at a time lock a FIX session.
SELECT take_turn(%(locked)s::text);

-- name: numbering
-- Find the numbering of a session that is in force.
SELECT id::text
FROM fix_sessions
WHERE provider_id = %(provider_id)s::uuid AND sender_comp_id = %(sender)s AND target_comp_id = %(target)s
ORDER BY id DESC
LIMIT 1;

-- name: begin
-- Begin a new numbering of a session.
INSERT INTO fix_sessions (provider_id, sender_comp_id, target_comp_id)
VALUES (%(provider_id)s::uuid, %(sender)s, %(target)s)
RETURNING id::text;

-- name: numbers
-- Read the number expected next and the number to be sent next.
SELECT
    coalesce(max(next_seq) FILTER (WHERE direction = 'in'), 1),
    coalesce(max(next_seq) FILTER (WHERE direction = 'out'), 1)
FROM (
    (
        SELECT direction, next_seq
        FROM fix_messages
        WHERE session_id = %(id)s::uuid AND direction = 'in'
        ORDER BY seq DESC
        LIMIT 1
    )
    UNION ALL
    (
        SELECT direction, next_seq
        FROM fix_messages
        WHERE session_id = %(id)s::uuid AND direction = 'out'
        ORDER BY seq DESC
        LIMIT 1
    )
) AS last;

-- name: keep
-- Keep messages that were received or are about to be sent.
INSERT INTO fix_messages (
    session_id, direction, seq, next_seq, message_type, request_id, execution_id, raw
)
SELECT
    %(id)s::uuid, m.direction, m.seq, m.next_seq, m.message_type, m.request_id, m.execution_id, m.raw
FROM unnest(
    %(directions)s::text[], %(seqs)s::bigint[], %(nexts)s::bigint[], %(kinds)s::text[],
    %(requests)s::text[], %(executions)s::text[], %(raws)s::text[]
) AS m (direction, seq, next_seq, message_type, request_id, execution_id, raw);

-- name: keep_corrections
-- Keep what a provider takes back or corrects, each once, with its message.
INSERT INTO provider_corrections (
    provider_id, kind, execution_id, refers_to, request_id, symbol, quantity, price, told_at
)
SELECT
    %(provider_id)s::uuid,
    c.kind,
    execution_name(%(provider_id)s::uuid, c.execution_id, c.request_id),
    referred_execution(%(provider_id)s::uuid, c.refers_to, c.request_id),
    c.request_id,
    c.symbol,
    c.quantity,
    c.price,
    c.told_at
FROM unnest(
    %(kinds)s::text[], %(executions)s::text[], %(references)s::text[], %(requests)s::text[],
    %(symbols)s::text[], %(quantities)s::numeric[], %(prices)s::numeric[], %(told)s::timestamptz[]
) AS c (kind, execution_id, refers_to, request_id, symbol, quantity, price, told_at)
ON CONFLICT (provider_id, execution_id) DO NOTHING;

-- name: sent
-- Read what was sent under some numbers.
SELECT seq, raw
FROM fix_messages
WHERE session_id = %(id)s::uuid AND direction = 'out' AND seq BETWEEN %(begin)s AND %(end)s
ORDER BY seq;

-- name: requests
-- Read what a provider was asked, and what it answered, under ids that begin alike.
SELECT m.raw
FROM fix_messages AS m
JOIN fix_sessions AS s ON s.id = m.session_id
WHERE s.provider_id = %(provider_id)s::uuid
  AND m.request_id ~>=~ %(round_id)s
  AND m.request_id ~<~ (%(round_id)s || '~')
  AND m.message_type IN ('D', '8')
ORDER BY m.kept_at, m.seq;

-- name: untold
-- Read executions that were received and have been neither booked nor set aside.
-- What is found here and was booked all the same is recognised by the batch.
SELECT m.raw
FROM fix_messages AS m
JOIN fix_sessions AS s ON s.id = m.session_id AND s.provider_id = %(provider_id)s::uuid
WHERE m.execution_id IS NOT NULL
  AND NOT EXISTS (
      SELECT FROM order_fills AS f
      WHERE f.provider_id = s.provider_id
        AND f.provider_execution_id IN (m.execution_id, m.execution_id || '@' || m.request_id)
        AND f.order_id::text = coalesce(left(m.request_id, 36), f.order_id::text)
  )
  AND NOT EXISTS (
      SELECT FROM hedge_fills AS h
      WHERE h.provider_id = s.provider_id
        AND h.provider_execution_id IN (m.execution_id, m.execution_id || '@' || m.request_id)
        AND h.hedge_id::text = coalesce(left(m.request_id, 36), h.hedge_id::text)
  )
  AND NOT EXISTS (
      SELECT FROM unsolicited_fills AS u
      WHERE u.provider_id = s.provider_id
        AND u.provider_execution_id IN (m.execution_id, m.execution_id || '@' || u.request_id)
        AND left(u.request_id, 36) = coalesce(left(m.request_id, 36), left(u.request_id, 36))
  )
ORDER BY m.kept_at, m.seq;

-- name: connections
-- Read how providers are connected.
SELECT
    p.code,
    c.purpose,
    c.host,
    c.port,
    c.sender_comp_id,
    c.target_comp_id,
    c.heartbeat_seconds,
    c.resets_on_logon,
    c.uses_tls,
    c.username,
    c.account
FROM provider_connections AS c
JOIN liquidity_providers AS p ON p.id = c.provider_id
ORDER BY p.code, c.purpose;

-- name: provider_ids
-- Read the providers: one that is disabled may still tell of what it has dealt before.
SELECT code, id::text
FROM liquidity_providers
ORDER BY priority, code;

-- name: set_connection
-- Set how a provider is connected for one purpose.
INSERT INTO provider_connections (
    provider_id, purpose, host, port, sender_comp_id, target_comp_id, heartbeat_seconds,
    resets_on_logon, uses_tls, username, account
)
SELECT
    id, %(purpose)s, %(host)s, %(port)s, %(sender)s, %(target)s, %(heartbeat_seconds)s,
    %(resets_on_logon)s, %(uses_tls)s, %(username)s, %(account)s
FROM liquidity_providers
WHERE code = %(code)s
ON CONFLICT (provider_id, purpose) DO UPDATE SET
    host = excluded.host,
    port = excluded.port,
    sender_comp_id = excluded.sender_comp_id,
    target_comp_id = excluded.target_comp_id,
    heartbeat_seconds = excluded.heartbeat_seconds,
    resets_on_logon = excluded.resets_on_logon,
    uses_tls = excluded.uses_tls,
    username = excluded.username,
    account = excluded.account
RETURNING id::text;

-- name: raise_unreadable_report
-- Tell people of an execution that cannot be read, and so is not booked.
INSERT INTO alerts (severity, kind, about, what)
VALUES (
    'critical',
    'execution_unreadable',
    %(provider)s || ' ' || %(execution_id)s,
    format('provider %%s has sent execution %%s of request %%s, which cannot be read and is not booked: %%s',
        %(provider)s::text, %(execution_id)s::text, %(request_id)s::text, %(why)s::text)
)
ON CONFLICT (kind, about) WHERE acknowledged_at IS NULL AND resolved_at IS NULL DO NOTHING;

-- name: refused_symbols
-- Read of which symbols people were told that a provider refuses them.
SELECT split_part(about, ' ', 2)
FROM alerts
WHERE kind = 'symbol_refused'
  AND split_part(about, ' ', 1) = %(provider)s
  AND acknowledged_at IS NULL
  AND resolved_at IS NULL;

-- name: raise_refused_symbols
-- Tell people which of the listed symbols a provider keeps refusing.
INSERT INTO alerts (severity, kind, about, what)
SELECT
    'warning',
    'symbol_refused',
    %(provider)s || ' ' || r.symbol,
    format('provider %%s keeps refusing the prices of %%s: %%s', %(provider)s::text, r.symbol, r.why)
FROM unnest(%(symbols)s::text[], %(whys)s::text[]) AS r (symbol, why)
JOIN instruments AS i ON i.symbol = r.symbol
ON CONFLICT (kind, about) WHERE acknowledged_at IS NULL AND resolved_at IS NULL DO NOTHING;

-- name: resolve_refused_symbols
-- Note that symbols which a provider refused have a price of it.
UPDATE alerts
SET resolved_at = clock_timestamp()
WHERE kind = 'symbol_refused'
  AND about = ANY(ARRAY(SELECT %(provider)s || ' ' || s.symbol FROM unnest(%(symbols)s::text[]) AS s (symbol)))
  AND acknowledged_at IS NULL
  AND resolved_at IS NULL;
