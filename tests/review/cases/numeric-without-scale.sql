-- bad: bare, and without a scale
CREATE TABLE payments (
    id uuid PRIMARY KEY,
    amount numeric NOT NULL, -- <-
    fee DECIMAL(10) -- <-
);

-- repaired: precision and scale
CREATE TABLE payments (id uuid PRIMARY KEY, amount numeric(20, 8) NOT NULL);

-- near miss: not money
CREATE TABLE facts (id uuid PRIMARY KEY, weight numeric);
