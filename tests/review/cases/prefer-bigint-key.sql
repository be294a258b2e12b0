-- bad: serial and identity
CREATE TABLE a (
    id serial PRIMARY KEY -- <-
);
CREATE TABLE b (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY -- <-
);

-- repaired: bigint
CREATE TABLE a (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY);

-- near miss: a year
CREATE TABLE years (year integer PRIMARY KEY);
