-- 011: who may do what from outside: keys of the interface, and sessions of the console.
--
-- Nothing here is worth stealing: of every secret only its SHA-256 is kept, and the secrets are 256 bits
-- of chance, so that no slow hash is needed to keep them from being guessed. A key is never changed: it
-- is written with its terms, and ended by a row of its own.

CREATE TABLE api_keys (
    id uuid
        CONSTRAINT api_keys_pkey PRIMARY KEY,
    user_id uuid
        CONSTRAINT api_keys_user_id_present NOT NULL
        CONSTRAINT api_keys_user_exists REFERENCES users (id) ON DELETE RESTRICT,
    name text
        CONSTRAINT api_keys_name_present NOT NULL
        CONSTRAINT api_keys_name_has_length CHECK (length(name) BETWEEN 1 AND 64 AND name !~ '[[:cntrl:]]'),
    scopes text[]
        CONSTRAINT api_keys_scopes_present NOT NULL
        CONSTRAINT api_keys_scopes_known CHECK (
            scopes <@ ARRAY['read', 'trade', 'pay', 'staff'] AND cardinality(scopes) BETWEEN 1 AND 4
        ),
    secret_hash bytea
        CONSTRAINT api_keys_secret_hash_present NOT NULL
        CONSTRAINT api_keys_secret_hash_is_sha256 CHECK (length(secret_hash) = 32),
    created_by text
        CONSTRAINT api_keys_created_by_present NOT NULL
        CONSTRAINT api_keys_created_by_not_empty CHECK (created_by ~ '\S'),
    reason text
        CONSTRAINT api_keys_reason_present NOT NULL
        CONSTRAINT api_keys_reason_not_empty CHECK (reason ~ '\S'),
    created_at timestamptz DEFAULT clock_timestamp()
        CONSTRAINT api_keys_created_at_present NOT NULL,
    expires_at timestamptz
        CONSTRAINT api_keys_expires_at_finite CHECK (isfinite(expires_at))
        CONSTRAINT api_keys_expires_after_it_was_made CHECK (expires_at > created_at)
);
COMMENT ON TABLE api_keys IS 'Keys with which programs and people act for a user from outside; what one may do is its scopes and the user''s roles together. Append-only.';
COMMENT ON COLUMN api_keys.id IS 'Stands in the key itself, in front of its secret: by it the row is found.';
COMMENT ON COLUMN api_keys.scopes IS 'What the key is for: read, trade and pay in the user''s own accounts; staff: what the user''s roles allow.';
COMMENT ON COLUMN api_keys.secret_hash IS 'SHA-256 of the secret, which was shown once and is kept nowhere.';
COMMENT ON COLUMN api_keys.expires_at IS 'From when on it is refused; empty: when it is revoked.';
CREATE INDEX idx_api_keys_user_id_created_at
    ON api_keys (user_id, created_at DESC);
CREATE TRIGGER api_keys_are_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON api_keys
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TABLE api_key_revocations (
    key_id uuid
        CONSTRAINT api_key_revocations_once PRIMARY KEY
        CONSTRAINT api_key_revocations_key_exists REFERENCES api_keys (id) ON DELETE RESTRICT,
    revoked_by text
        CONSTRAINT api_key_revocations_revoked_by_present NOT NULL
        CONSTRAINT api_key_revocations_revoked_by_not_empty CHECK (revoked_by ~ '\S'),
    reason text
        CONSTRAINT api_key_revocations_reason_present NOT NULL
        CONSTRAINT api_key_revocations_reason_not_empty CHECK (reason ~ '\S'),
    revoked_at timestamptz DEFAULT clock_timestamp()
        CONSTRAINT api_key_revocations_revoked_at_present NOT NULL
);
COMMENT ON TABLE api_key_revocations IS 'Keys that are refused for ever, with who revoked them and why. Append-only.';
CREATE TRIGGER api_key_revocations_are_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON api_key_revocations
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Beside the keys, so that these stay as they were written.
CREATE TABLE api_key_uses (
    key_id uuid
        CONSTRAINT api_key_uses_pkey PRIMARY KEY
        CONSTRAINT api_key_uses_key_exists REFERENCES api_keys (id) ON DELETE RESTRICT,
    last_used_at timestamptz DEFAULT clock_timestamp()
        CONSTRAINT api_key_uses_last_used_at_present NOT NULL
) WITH (fillfactor = 50);
COMMENT ON TABLE api_key_uses IS 'When each key was used last, to the minute.';
CREATE TRIGGER api_key_uses_are_kept
    BEFORE DELETE OR TRUNCATE ON api_key_uses
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER api_key_uses_keep_their_key
    BEFORE UPDATE ON api_key_uses
    FOR EACH ROW WHEN (OLD.key_id IS DISTINCT FROM NEW.key_id OR NEW.last_used_at < OLD.last_used_at)
    EXECUTE FUNCTION refuse_new_key();

CREATE TABLE console_sessions (
    id uuid
        CONSTRAINT console_sessions_pkey PRIMARY KEY,
    key_id uuid
        CONSTRAINT console_sessions_key_id_present NOT NULL
        CONSTRAINT console_sessions_key_exists REFERENCES api_keys (id) ON DELETE RESTRICT,
    token_hash bytea
        CONSTRAINT console_sessions_token_hash_present NOT NULL
        CONSTRAINT console_sessions_token_hash_is_sha256 CHECK (length(token_hash) = 32),
    created_at timestamptz DEFAULT clock_timestamp()
        CONSTRAINT console_sessions_created_at_present NOT NULL,
    expires_at timestamptz
        CONSTRAINT console_sessions_expires_at_present NOT NULL
        CONSTRAINT console_sessions_lasts_a_day_at_most CHECK (
            expires_at > created_at AND expires_at <= created_at + interval '1 day'
        ),
    last_used_at timestamptz DEFAULT clock_timestamp()
        CONSTRAINT console_sessions_last_used_at_present NOT NULL,
    ended_at timestamptz,
    ended_why text
        CONSTRAINT console_sessions_ended_why_known CHECK (ended_why IN ('left', 'key_revoked')),
    CONSTRAINT console_sessions_end_says_why CHECK ((ended_at IS NULL) = (ended_why IS NULL))
) WITH (fillfactor = 70);
COMMENT ON TABLE console_sessions IS 'Browsers that somebody has let in with a key: each ends when it is left, idle or old, or with its key.';
COMMENT ON COLUMN console_sessions.id IS 'Stands in the token itself, in front of its secret: by it the row is found.';
COMMENT ON COLUMN console_sessions.token_hash IS 'SHA-256 of the secret that the browser holds.';
COMMENT ON COLUMN console_sessions.expires_at IS 'When it ends however much it is used; idle, it ends before.';
COMMENT ON COLUMN console_sessions.last_used_at IS 'To the minute.';
COMMENT ON COLUMN console_sessions.ended_why IS 'left: by its user; key_revoked: with the key that it was opened with.';
CREATE INDEX idx_console_sessions_key_id
    ON console_sessions (key_id);
CREATE TRIGGER console_sessions_are_kept
    BEFORE DELETE OR TRUNCATE ON console_sessions
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
-- What has ended stays so, and nothing but its use and its end is ever written into a session.
CREATE TRIGGER console_sessions_end_once
    BEFORE UPDATE ON console_sessions
    FOR EACH ROW WHEN (
        OLD.ended_at IS NOT NULL
        OR NEW.last_used_at < OLD.last_used_at
        OR (OLD.id, OLD.key_id, OLD.token_hash, OLD.created_at, OLD.expires_at)
        IS DISTINCT FROM (NEW.id, NEW.key_id, NEW.token_hash, NEW.created_at, NEW.expires_at)
    )
    EXECUTE FUNCTION refuse_new_key();

SELECT grant_engine_rights();
