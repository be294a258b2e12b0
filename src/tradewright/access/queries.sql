-- Keys and sessions: found by the id that stands in the secret, compared outside.

-- name: add_api_key
-- Writes a key of an active user and returns its times; no row when the user is not active or there is none.
INSERT INTO api_keys (id, user_id, name, scopes, secret_hash, created_by, reason, expires_at)
SELECT %(id)s, u.id, %(name)s, %(scopes)s, %(secret_hash)s, %(created_by)s, %(reason)s, %(expires_at)s
FROM users AS u
WHERE u.id = %(user_id)s AND u.status = 'active'
FOR SHARE OF u
RETURNING id::text;

-- name: api_keys
-- Returns keys with their last use and end, the newest first.
SELECT
    k.id::text,
    k.user_id::text,
    u.email,
    k.name,
    k.scopes,
    k.created_by,
    k.created_at,
    k.expires_at,
    s.last_used_at,
    r.revoked_at,
    r.revoked_by,
    r.reason
FROM api_keys AS k
JOIN users AS u ON u.id = k.user_id
LEFT JOIN api_key_uses AS s ON s.key_id = k.id
LEFT JOIN api_key_revocations AS r ON r.key_id = k.id
WHERE (%(id)s::uuid IS NULL OR k.id = %(id)s::uuid)
  AND (%(user_id)s::uuid IS NULL OR k.user_id = %(user_id)s::uuid)
  AND (%(with_ended)s OR (r.key_id IS NULL AND (k.expires_at IS NULL OR k.expires_at > clock_timestamp())))
ORDER BY k.created_at DESC, k.id DESC
LIMIT %(count_max)s;

-- name: add_api_key_revocation
-- Ends a key; its primary key refuses a second end.
INSERT INTO api_key_revocations (key_id, revoked_by, reason)
VALUES (%(key_id)s, %(revoked_by)s, %(reason)s);

-- name: end_sessions_of_key
-- Ends what browsers have opened with a key that is revoked.
UPDATE console_sessions
SET ended_at = clock_timestamp(), ended_why = 'key_revoked'
WHERE key_id = %(key_id)s AND ended_at IS NULL;

-- name: key_holder
-- Returns whose key it is, its hash and scopes, the user's roles, whether both are good, and whether a use is to be noted.
SELECT
    k.user_id::text,
    u.email,
    ARRAY(SELECT r.role FROM user_roles AS r WHERE r.user_id = u.id),
    k.scopes,
    k.secret_hash,
    u.status = 'active'
        AND (k.expires_at IS NULL OR k.expires_at > clock_timestamp())
        AND NOT EXISTS (SELECT FROM api_key_revocations AS r WHERE r.key_id = k.id),
    s.last_used_at IS NULL OR s.last_used_at < clock_timestamp() - interval '1 minute',
    k.id::text
FROM api_keys AS k
JOIN users AS u ON u.id = k.user_id
LEFT JOIN api_key_uses AS s ON s.key_id = k.id
WHERE k.id = %(id)s;

-- name: note_use_of_key
-- Notes that a key is used, unless somebody else has within the minute.
INSERT INTO api_key_uses AS s (key_id)
VALUES (%(id)s)
ON CONFLICT (key_id) DO UPDATE SET last_used_at = excluded.last_used_at
WHERE s.last_used_at < excluded.last_used_at - interval '1 minute';

-- name: add_console_session
-- Lets a browser in with a key, for some hours at most.
INSERT INTO console_sessions (id, key_id, token_hash, created_at, expires_at)
SELECT %(id)s, %(key_id)s, %(token_hash)s, now_at, now_at + %(lasting)s::interval
FROM clock_timestamp() AS now_at
RETURNING expires_at;

-- name: session_holder
-- Returns whose session it is, as `key_holder` does, with the key that it was opened with.
SELECT
    k.user_id::text,
    u.email,
    ARRAY(SELECT r.role FROM user_roles AS r WHERE r.user_id = u.id),
    k.scopes,
    c.token_hash,
    u.status = 'active'
        AND c.ended_at IS NULL
        AND c.expires_at > clock_timestamp()
        AND c.last_used_at > clock_timestamp() - %(idle)s::interval
        AND (k.expires_at IS NULL OR k.expires_at > clock_timestamp())
        AND NOT EXISTS (SELECT FROM api_key_revocations AS r WHERE r.key_id = k.id),
    c.last_used_at < clock_timestamp() - interval '1 minute',
    k.id::text
FROM console_sessions AS c
JOIN api_keys AS k ON k.id = c.key_id
JOIN users AS u ON u.id = k.user_id
WHERE c.id = %(id)s;

-- name: good_keys_and_sessions
-- Tells which of some keys and sessions are good still, and of which keys a use is to be noted.
WITH good AS (
    SELECT
        k.id,
        s.last_used_at IS NULL OR s.last_used_at < clock_timestamp() - interval '1 minute' AS is_use_due
    FROM api_keys AS k
    JOIN users AS u ON u.id = k.user_id AND u.status = 'active'
    LEFT JOIN api_key_uses AS s ON s.key_id = k.id
    WHERE k.id = ANY(%(key_ids)s::uuid[])
      AND (k.expires_at IS NULL OR k.expires_at > clock_timestamp())
      AND NOT EXISTS (SELECT FROM api_key_revocations AS r WHERE r.key_id = k.id)
)
SELECT id::text, is_use_due
FROM good
UNION ALL
SELECT c.id::text, false
FROM console_sessions AS c
JOIN good AS g ON g.id = c.key_id
WHERE c.id = ANY(%(session_ids)s::uuid[])
  AND c.ended_at IS NULL
  AND c.expires_at > clock_timestamp()
  AND c.last_used_at > clock_timestamp() - %(idle)s::interval;

-- name: note_use_of_session
-- Notes that a session is used, unless it has ended or somebody else has within the minute.
UPDATE console_sessions
SET last_used_at = clock_timestamp()
WHERE id = %(id)s AND ended_at IS NULL AND last_used_at < clock_timestamp() - interval '1 minute';

-- name: end_console_session
-- Ends a session that its user leaves; again is harmless.
UPDATE console_sessions
SET ended_at = clock_timestamp(), ended_why = 'left'
WHERE id = %(id)s AND ended_at IS NULL;
