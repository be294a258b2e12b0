-- bad: a name
CREATE TABLE users (
    id uuid PRIMARY KEY,
    name varchar(100) NOT NULL, -- <-
    code char(3)
);

-- repaired: text
CREATE TABLE users (id uuid PRIMARY KEY, name text NOT NULL CONSTRAINT name_length CHECK (length(name) <= 100));

-- near miss: varchar without a length
CREATE TABLE users (id uuid PRIMARY KEY, name varchar NOT NULL);
