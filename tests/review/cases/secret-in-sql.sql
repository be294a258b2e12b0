-- bad: a role, a hash, a key
CREATE TABLE users (id uuid PRIMARY KEY, email text NOT NULL, password_hash text NOT NULL, api_key text);
CREATE ROLE trader LOGIN PASSWORD 'secret123'; -- <-
INSERT INTO users (id, email, password_hash) VALUES (
    uuidv7(), 'admin@example.com',
    '$2b$12$abcdefghijklmnopqrstuvABCDEFGHIJKLMNOPQRSTUVWXYZ01234' -- <-
);
INSERT INTO users (id, email, password_hash, api_key)
SELECT uuidv7(), 'b', 'x', '-----BEGIN RSA PRIVATE KEY-----'; -- <-

-- repaired: without
CREATE ROLE trader LOGIN;
ALTER ROLE trader PASSWORD NULL;

-- near miss: a column of that name, and a short code
CREATE TABLE users (id uuid PRIMARY KEY, token_count integer, password_hash text);
INSERT INTO users (id, token_count, password_hash) VALUES (uuidv7(), 12345678, '!');

-- bad: passwords of connections
CREATE USER MAPPING FOR CURRENT_USER SERVER archive OPTIONS (user 'u', password 'secret123'); -- <-
CREATE SUBSCRIPTION quotes CONNECTION 'host=lp dbname=q password=secret123' PUBLICATION q; -- <-
CREATE SUBSCRIPTION trades CONNECTION 'postgresql://u:secret123@lp/q' PUBLICATION q; -- <-

-- near miss: a connection without one
-- tradewright: no-transaction
CREATE USER MAPPING FOR CURRENT_USER SERVER archive OPTIONS (user 'u');
CREATE SUBSCRIPTION quotes CONNECTION 'host=lp dbname=q passfile=/etc/pass' PUBLICATION q;
