-- bad: types of MySQL and Oracle that parse
CREATE TABLE payments (
    id uuid PRIMARY KEY,
    created_at DATETIME NOT NULL, -- <-
    flag TINYINT, -- <-
    amount NUMBER, -- <-
    note CLOB -- <-
);

-- bad: an enum that nobody creates
CREATE TABLE orders (
    id uuid PRIMARY KEY,
    side order_side NOT NULL -- <-
);

-- repaired: the enum comes first
CREATE TYPE order_side AS ENUM ('buy', 'sell');
CREATE TABLE orders (id uuid PRIMARY KEY, side order_side NOT NULL, sides order_side[]);

-- near miss: a domain, and a type created inside a DO block
DO $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM pg_type WHERE typname = 'mood') THEN
        CREATE TYPE mood AS ENUM ('good');
    END IF;
END
$$;
CREATE DOMAIN iso_currency AS text CHECK (VALUE ~ '^[A-Z]{3}$');
CREATE TABLE people (id uuid PRIMARY KEY, feels mood, wants iso_currency, place point);

-- near miss: the folder begins in the middle of a history
ALTER TABLE orders ADD COLUMN mood mood;
CREATE TABLE moods (id uuid PRIMARY KEY, mood mood);
