-- bad: two extensions that the embedded server lacks
CREATE EXTENSION IF NOT EXISTS "uuid-ossp"; -- <-
CREATE EXTENSION IF NOT EXISTS pgcrypto; -- <-
CREATE TABLE users (
    id uuid PRIMARY KEY DEFAULT uuid_generate_v4(),
    token bytea NOT NULL DEFAULT gen_random_bytes(16),
    secret text NOT NULL DEFAULT crypt('a', gen_salt('bf')),
    digest bytea GENERATED ALWAYS AS (digest('a', 'sha256')) STORED
);
INSERT INTO users DEFAULT VALUES;

-- repaired: no extension is needed
CREATE TABLE users (id uuid PRIMARY KEY DEFAULT uuidv7(), digest bytea DEFAULT sha256('a'));

-- near miss: the server has this one
CREATE EXTENSION IF NOT EXISTS citext;
CREATE TABLE users (id uuid PRIMARY KEY, email citext NOT NULL);
