-- bad: no index in any file
CREATE TABLE users (id uuid PRIMARY KEY);
CREATE TABLE orders (
    id uuid PRIMARY KEY,
    user_id uuid NOT NULL REFERENCES users (id) -- <-
);

-- bad: the index has other conditions
CREATE TABLE users (id uuid PRIMARY KEY);
CREATE TABLE orders (
    id uuid PRIMARY KEY,
    is_open boolean NOT NULL,
    user_id uuid REFERENCES users (id) -- <-
);
CREATE INDEX idx_orders_user_id ON orders (user_id) WHERE is_open;

-- repaired: the index comes in a later file
-- file: 001_init.sql
CREATE TABLE users (id uuid PRIMARY KEY);
CREATE TABLE orders (
    id uuid PRIMARY KEY,
    user_id uuid NOT NULL REFERENCES users (id)
);
-- file: 002_indexes.sql
-- tradewright: no-transaction
CREATE INDEX CONCURRENTLY idx_orders_user_id ON orders (user_id);

-- near miss: the primary key begins with the column, and a partial index on NOT NULL
CREATE TABLE users (id uuid PRIMARY KEY);
CREATE TABLE user_roles (
    user_id uuid NOT NULL REFERENCES users (id),
    role text NOT NULL,
    granted_by uuid REFERENCES users (id),
    PRIMARY KEY (user_id, role)
);
CREATE INDEX idx_user_roles_granted_by ON user_roles (granted_by) WHERE granted_by IS NOT NULL;

-- near miss: a composite key that is served by its id, and one that is not enforced
CREATE TABLE holders (id uuid PRIMARY KEY, currency text NOT NULL, UNIQUE (id, currency));
CREATE TABLE wallets (
    id uuid PRIMARY KEY,
    currency text NOT NULL,
    note_id uuid REFERENCES holders (id) NOT ENFORCED,
    CONSTRAINT wallets_holder_exists FOREIGN KEY (id, currency) REFERENCES holders (id, currency)
);
