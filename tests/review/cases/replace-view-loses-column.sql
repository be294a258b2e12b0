-- bad: a column is left out
CREATE TABLE fills (id uuid PRIMARY KEY, price numeric(20, 8) NOT NULL);
CREATE VIEW deals AS SELECT id, price FROM fills;
CREATE OR REPLACE VIEW deals AS SELECT id FROM fills; -- <-

-- bad: a column gets another name
CREATE TABLE fills (id uuid PRIMARY KEY, price numeric(20, 8) NOT NULL);
CREATE VIEW deals AS SELECT id, price FROM fills;
CREATE OR REPLACE VIEW deals AS SELECT id, price AS rate FROM fills; -- <-

-- bad: columns change places, and another comes between
CREATE TABLE fills (id uuid PRIMARY KEY, price numeric(20, 8) NOT NULL);
CREATE VIEW deals (fill_id, rate) AS SELECT id, price FROM fills;
CREATE OR REPLACE VIEW deals AS SELECT price AS rate, id AS fill_id FROM fills; -- <-

-- bad: a union, whose first part names the columns
CREATE TABLE fills (id uuid PRIMARY KEY, price numeric(20, 8) NOT NULL);
CREATE VIEW deals AS SELECT id, round(price) FROM fills UNION ALL SELECT id, price FROM fills;
CREATE OR REPLACE VIEW deals AS SELECT id, abs(price) FROM fills UNION ALL SELECT id, price FROM fills; -- <-

-- bad: less than stands before the star
CREATE TABLE fills (id uuid PRIMARY KEY, price numeric(20, 8) NOT NULL);
CREATE VIEW deals AS SELECT id AS fill_id, fills.* FROM fills;
CREATE OR REPLACE VIEW deals AS SELECT price AS rate, fills.* FROM fills; -- <-

-- repaired: a new column follows
CREATE TABLE fills (id uuid PRIMARY KEY, price numeric(20, 8) NOT NULL);
CREATE VIEW deals AS SELECT id, price FROM fills;
CREATE OR REPLACE VIEW deals AS SELECT id, price, price AS rate FROM fills;

-- near miss: the view is dropped first
CREATE TABLE fills (id uuid PRIMARY KEY, price numeric(20, 8) NOT NULL);
CREATE VIEW deals AS SELECT id, price FROM fills;
DROP VIEW deals;
CREATE OR REPLACE VIEW deals AS SELECT id FROM fills;

-- near miss: what a star or an expression comes to is not read
CREATE TABLE fills (id uuid PRIMARY KEY, price numeric(20, 8) NOT NULL);
CREATE VIEW deals AS SELECT * FROM fills;
CREATE OR REPLACE VIEW deals AS SELECT id, price FROM fills;
CREATE OR REPLACE VIEW deals AS SELECT id, price FROM fills;
CREATE VIEW sums AS SELECT sum(price), 1 + 1 FROM fills;
CREATE OR REPLACE VIEW sums AS SELECT sum(price), 2 + 2 FROM fills;

-- near miss: the same columns by other words
CREATE TABLE fills (id uuid PRIMARY KEY, price numeric(20, 8) NOT NULL);
CREATE VIEW deals AS SELECT f.id, f.price FROM fills AS f;
CREATE OR REPLACE VIEW deals (id, price) AS SELECT id AS a, abs(price) FROM fills;

-- near miss: a column was renamed, and a list of values has no names
CREATE TABLE fills (id uuid PRIMARY KEY, price numeric(20, 8) NOT NULL);
CREATE VIEW deals AS SELECT id, price FROM fills;
ALTER VIEW deals RENAME COLUMN price TO rate;
CREATE OR REPLACE VIEW deals AS SELECT id, price AS rate FROM fills;
CREATE VIEW codes AS VALUES ('A', 1);
CREATE OR REPLACE VIEW codes AS VALUES ('B', 2);
