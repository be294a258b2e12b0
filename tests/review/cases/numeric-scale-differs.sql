-- bad: eight digits and two
CREATE TABLE orders (id uuid PRIMARY KEY, price numeric(20, 8) NOT NULL);
CREATE TABLE trades (
    id uuid PRIMARY KEY,
    price numeric(20, 2) NOT NULL -- <-
);

-- repaired: eight digits everywhere
CREATE TABLE orders (id uuid PRIMARY KEY, price numeric(20, 8) NOT NULL);
CREATE TABLE trades (id uuid PRIMARY KEY, price numeric(18, 8) NOT NULL);

-- near miss: other names
CREATE TABLE orders (id uuid PRIMARY KEY, price numeric(20, 8) NOT NULL, fee numeric(20, 2));
