-- bad: orders and ledger rows that go with their user
CREATE TABLE users (id uuid PRIMARY KEY);
CREATE TABLE orders (
    id uuid PRIMARY KEY,
    user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE -- <-
);
CREATE TABLE balance_ledger (
    id uuid PRIMARY KEY,
    user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE -- <-
);

-- repaired: restricted
CREATE TABLE users (id uuid PRIMARY KEY);
CREATE TABLE orders (id uuid PRIMARY KEY, user_id uuid NOT NULL REFERENCES users (id) ON DELETE RESTRICT);

-- near miss: sessions may go with their user
CREATE TABLE users (id uuid PRIMARY KEY);
CREATE TABLE sessions (id uuid PRIMARY KEY, user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE);
