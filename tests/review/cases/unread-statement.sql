-- bad: built by the test
CREATE TABLE a (id uuid PRIMARY KEY);
INSERT INTO a (id) VALUES @ROWS@; -- <-

-- repaired: small
CREATE TABLE a (id uuid PRIMARY KEY);

-- near miss: many small statements
CREATE TABLE a (id uuid PRIMARY KEY);
INSERT INTO a (id) VALUES (uuidv7());
INSERT INTO a (id) VALUES (uuidv7());
