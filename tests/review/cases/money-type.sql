-- bad: the type
CREATE TABLE payments (
    id uuid PRIMARY KEY,
    amount money NOT NULL -- <-
);

-- repaired: numeric with its currency
CREATE TABLE payments (id uuid PRIMARY KEY, amount numeric(20, 8) NOT NULL, currency text NOT NULL);

-- near miss: the name
CREATE TABLE purses (id uuid PRIMARY KEY, money numeric(20, 8) NOT NULL);
