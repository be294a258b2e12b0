-- bad: one of three
CREATE TABLE orders (
    id uuid PRIMARY KEY,
    a bigint CONSTRAINT a_positive CHECK (a > 0),
    b bigint CONSTRAINT b_positive CHECK (b > 0),
    c bigint CHECK (c > 0) -- <-
);

-- repaired: named
CREATE TABLE orders (id uuid PRIMARY KEY, a bigint CONSTRAINT a_positive CHECK (a > 0));

-- near miss: nobody names them
CREATE TABLE orders (id uuid PRIMARY KEY, a bigint CHECK (a > 0), b bigint CHECK (b > 0));
