-- bad: a key's default
CREATE TABLE users (
    id uuid PRIMARY KEY DEFAULT uuid_generate_v4() -- <-
);

-- bad: an operator class
CREATE TABLE users (id uuid PRIMARY KEY, name text NOT NULL);
CREATE INDEX idx_users_name ON users USING gin (name gin_trgm_ops); -- <-

-- repaired: the extension comes first
CREATE EXTENSION IF NOT EXISTS "uuid-ossp";
CREATE TABLE users (id uuid PRIMARY KEY DEFAULT uuid_generate_v4());

-- near miss: a function of one's own, and gen_random_uuid, which is built in
CREATE FUNCTION digest(value text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT value';
CREATE TABLE users (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    code text NOT NULL DEFAULT digest('a')
);
