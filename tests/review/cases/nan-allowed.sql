-- bad: only from below
CREATE TABLE user_balances (
    id uuid PRIMARY KEY,
    available_balance DECIMAL(20, 8) NOT NULL DEFAULT 0,
    CHECK (available_balance >= 0) -- <-
);

-- repaired: from both sides
CREATE TABLE user_balances (
    id uuid PRIMARY KEY,
    available_balance numeric(20, 8) NOT NULL DEFAULT 0,
    CONSTRAINT not_negative CHECK (available_balance >= 0),
    CONSTRAINT finite CHECK (available_balance < 'Infinity')
);

-- near miss: BETWEEN, an integer, two columns of which one bounds the other
CREATE TABLE fees (
    id uuid PRIMARY KEY,
    fee numeric(20, 8) NOT NULL CHECK (fee BETWEEN 0 AND 100),
    units bigint NOT NULL CHECK (units > 0),
    price numeric(20, 8) NOT NULL CHECK (price > 0 AND price <= 1000000)
);
