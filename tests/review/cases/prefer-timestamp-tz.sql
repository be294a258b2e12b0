-- bad: in a new table, in an added column, in a changed type
CREATE TABLE payments (
    id uuid PRIMARY KEY,
    created_at TIMESTAMP NOT NULL, -- <-
    paid_at timestamp without time zone -- <-
);
ALTER TABLE payments
    ADD COLUMN sent_at timestamp(3); -- <-

-- bad: a type that is changed
CREATE TABLE payments (id uuid PRIMARY KEY, due text);
ALTER TABLE payments
    ALTER COLUMN due TYPE timestamp USING due::timestamp; -- <-

-- repaired: with time zone
CREATE TABLE payments (
    id uuid PRIMARY KEY,
    created_at timestamptz NOT NULL,
    paid_at timestamp with time zone
);

-- near miss: a date, and a column called timestamp
CREATE TABLE holidays (id uuid PRIMARY KEY, on_day date NOT NULL, timestamp text);
