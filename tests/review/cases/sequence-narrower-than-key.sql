-- bad: a serial is widened
CREATE TABLE orders (id serial PRIMARY KEY); -- <-
ALTER TABLE orders ALTER COLUMN id TYPE bigint;

-- bad: a sequence of integers feeds a bigint
CREATE SEQUENCE numbers AS integer; -- <-
CREATE TABLE orders (id bigint PRIMARY KEY DEFAULT nextval('numbers'));

-- repaired: both are widened
CREATE TABLE orders (id serial PRIMARY KEY);
ALTER TABLE orders ALTER COLUMN id TYPE bigint;
ALTER SEQUENCE orders_id_seq AS bigint;

-- near miss: an identity, a serial that stays, and an integer of its sequence
CREATE TABLE orders (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY);
ALTER TABLE orders ALTER COLUMN id TYPE bigint;
CREATE TABLE trades (id serial PRIMARY KEY, number bigint);
CREATE SEQUENCE numbers AS integer;
CREATE TABLE fills (id integer PRIMARY KEY DEFAULT nextval('numbers'));
