-- bad: uuid against varchar, and bigint against integer
CREATE TABLE users (id uuid PRIMARY KEY);
CREATE TABLE books (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY);
CREATE TABLE payments (
    id uuid PRIMARY KEY,
    user_id VARCHAR(64) NOT NULL REFERENCES users (id), -- <-
    book_id integer REFERENCES books -- <-
);

-- repaired: the same types
CREATE TABLE users (id uuid PRIMARY KEY);
CREATE TABLE payments (id uuid PRIMARY KEY, user_id uuid NOT NULL REFERENCES users (id));
CREATE INDEX idx_payments_user_id ON payments (user_id);

-- near miss: varchar and text, serial and integer
CREATE TABLE countries (code varchar(2) PRIMARY KEY);
CREATE TABLE cities (id serial PRIMARY KEY, code text REFERENCES countries (code));
CREATE TABLE streets (id uuid PRIMARY KEY, city integer REFERENCES cities (id));

-- bad: an integer that refers to a column which counts by itself
CREATE TABLE jobs (id bigserial PRIMARY KEY);
CREATE TABLE events (id uuid PRIMARY KEY, "jobId" integer REFERENCES jobs (id)); -- <-
