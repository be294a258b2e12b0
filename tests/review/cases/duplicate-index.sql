-- bad: a unique key, the primary key's beginning, a wider index, another file
-- file: 001_a.sql
CREATE TABLE user_balances (
    user_id uuid NOT NULL,
    currency text NOT NULL,
    email text NOT NULL UNIQUE,
    note text,
    PRIMARY KEY (user_id, currency)
);
CREATE INDEX idx_email ON user_balances (email); -- <-
CREATE INDEX idx_user_id ON user_balances (user_id); -- <-
CREATE INDEX idx_note ON user_balances (note); -- <-
-- file: 002_b.sql
-- tradewright: no-transaction
CREATE INDEX CONCURRENTLY idx_note_email ON user_balances (note, email);
CREATE INDEX CONCURRENTLY idx_note_email_again ON user_balances (note, email); -- <-

-- repaired: one of each
CREATE TABLE users (id uuid PRIMARY KEY, email text NOT NULL UNIQUE, note text);
CREATE INDEX idx_users_note ON users (note, email);

-- near miss: conditions, methods, orders, and a unique one
CREATE TABLE users (id uuid PRIMARY KEY, email text NOT NULL, note text, tags jsonb);
CREATE INDEX a ON users (note);
CREATE INDEX b ON users (note) WHERE note IS NOT NULL;
CREATE INDEX c ON users (note DESC, email);
CREATE INDEX d ON users USING hash (note);
CREATE UNIQUE INDEX e ON users (email);
CREATE UNIQUE INDEX f ON users (email, note);
