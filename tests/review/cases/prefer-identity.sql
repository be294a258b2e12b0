-- bad: serial
CREATE TABLE events (
    id bigserial PRIMARY KEY -- <-
);

-- repaired: identity
CREATE TABLE events (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY);

-- near miss: a name
CREATE TABLE events (id uuid PRIMARY KEY, serial text);
