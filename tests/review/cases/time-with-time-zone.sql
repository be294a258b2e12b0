-- bad: both spellings
CREATE TABLE sessions (
    id uuid PRIMARY KEY,
    opens_at timetz NOT NULL, -- <-
    closes_at time with time zone NOT NULL -- <-
);

-- repaired: time and zone
CREATE TABLE sessions (id uuid PRIMARY KEY, opens_at time NOT NULL, zone text NOT NULL);

-- near miss: timestamptz
CREATE TABLE sessions (id uuid PRIMARY KEY, opened_at timestamp with time zone NOT NULL);
