-- name: apply_session_settings
-- Set many settings of this session in one round trip; a PgBouncer passes this, unlike options.
SELECT set_config(setting.name, setting.value, false)
FROM unnest(%(names)s::text[], %(values)s::text[]) AS setting (name, value);
