-- bad: alone, and in front
CREATE TABLE users (id uuid PRIMARY KEY, is_active boolean NOT NULL, name text NOT NULL);
CREATE INDEX a ON users (is_active); -- <-
CREATE INDEX b ON users (is_active, name); -- <-

-- repaired: partial
CREATE TABLE users (id uuid PRIMARY KEY, is_active boolean NOT NULL, name text NOT NULL);
CREATE INDEX a ON users (name) WHERE is_active;

-- near miss: at the end
CREATE TABLE users (id uuid PRIMARY KEY, is_active boolean NOT NULL, name text NOT NULL);
CREATE INDEX a ON users (name, is_active);
