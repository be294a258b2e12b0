-- bad: a key, and a column with one
ALTER TABLE users ADD CONSTRAINT users_email_key UNIQUE (email); -- <-
ALTER TABLE users ADD COLUMN code text UNIQUE; -- <-

-- repaired: from an index
-- tradewright: no-transaction
CREATE UNIQUE INDEX CONCURRENTLY users_email_key ON users (email);
ALTER TABLE users ADD CONSTRAINT users_email_key UNIQUE USING INDEX users_email_key;

-- near miss: a table of the same file
CREATE TABLE users (id uuid PRIMARY KEY, email text NOT NULL);
ALTER TABLE users ADD CONSTRAINT users_email_key UNIQUE (email);

-- bad: an exclusion constraint
ALTER TABLE bookings ADD CONSTRAINT no_overlap EXCLUDE USING gist (during WITH &&); -- <-
