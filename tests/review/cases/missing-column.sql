-- bad: index, insert, key, target of a foreign key
CREATE TABLE users (id uuid PRIMARY KEY, name text);
CREATE INDEX idx_users_email ON users (email); -- <-
INSERT INTO users (id, mail) VALUES (uuidv7(), 'a'); -- <-
ALTER TABLE users ALTER COLUMN phone SET NOT NULL; -- <-
CREATE TABLE orders (
    id uuid PRIMARY KEY,
    user_id uuid NOT NULL REFERENCES users (user_id), -- <-
    UNIQUE (client_order_id) -- <-
);

-- bad: the column of a condition
CREATE TABLE users (id uuid PRIMARY KEY, name text);
CREATE INDEX idx_users_name ON users (name) WHERE is_active; -- <-

-- repaired: with the column
CREATE TABLE users (id uuid PRIMARY KEY, name text);
ALTER TABLE users ADD COLUMN email text;
CREATE INDEX idx_users_email ON users (email);

-- near miss: LIKE of an unknown table, ON CONFLICT's excluded row, a quoted name
CREATE TABLE copy (id uuid PRIMARY KEY, LIKE elsewhere.users);
CREATE INDEX idx_copy_email ON copy (email);
CREATE TABLE users (id uuid PRIMARY KEY, "Name" text);
CREATE INDEX idx_users_name ON users ("Name");
INSERT INTO users (id, "Name") VALUES (uuidv7(), 'a')
ON CONFLICT (id) DO UPDATE SET "Name" = excluded."Name";
