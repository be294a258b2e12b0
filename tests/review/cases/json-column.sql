-- bad: in a new table and a new column
CREATE TABLE events (
    id uuid PRIMARY KEY,
    body json NOT NULL -- <-
);
ALTER TABLE events ADD COLUMN headers json; -- <-

-- repaired: jsonb
CREATE TABLE events (id uuid PRIMARY KEY, body jsonb NOT NULL);

-- near miss: an array of text, and a cast
CREATE TABLE events (id uuid PRIMARY KEY, body text[] NOT NULL);
CREATE VIEW bodies AS SELECT id, to_json(body) AS body FROM events;

-- bad: of a table that no file makes
ALTER TABLE events ADD COLUMN headers json; -- <-
