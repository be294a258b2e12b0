-- bad: a wallet without a user
CREATE TABLE wallets (
    id uuid PRIMARY KEY,
    user_id uuid,
    currency text NOT NULL,
    UNIQUE (user_id, currency) -- <-
);

-- repaired: not null
CREATE TABLE wallets (id uuid PRIMARY KEY, user_id uuid NOT NULL, currency text NOT NULL, UNIQUE (user_id, currency));

-- near miss: one optional column, and NOT NULL set later
CREATE TABLE wallets (id uuid PRIMARY KEY, email text UNIQUE, a text, b text, UNIQUE (a, b));
ALTER TABLE wallets ALTER COLUMN a SET NOT NULL, ALTER COLUMN b SET NOT NULL;
