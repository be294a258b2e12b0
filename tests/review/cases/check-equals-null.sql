-- bad: in a check, an index and a function
CREATE TABLE users (
    id uuid PRIMARY KEY,
    closed_at timestamptz,
    CONSTRAINT open CHECK (closed_at = NULL) -- <-
);
CREATE INDEX idx_users_closed_at ON users (closed_at) WHERE closed_at <> NULL; -- <-
CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    UPDATE users SET closed_at = now()
    WHERE closed_at = NULL; -- <-
END
$$;

-- repaired: IS NULL
CREATE TABLE users (id uuid PRIMARY KEY, closed_at timestamptz, CONSTRAINT open CHECK (closed_at IS NULL));

-- near miss: an assignment
CREATE TABLE users (id uuid PRIMARY KEY, closed_at timestamptz DEFAULT NULL);
UPDATE users SET closed_at = NULL WHERE closed_at IS NOT NULL;
