-- bad: before BEGIN
-- tradewright: no-transaction
CREATE TABLE a (id uuid PRIMARY KEY);
SET TRANSACTION ISOLATION LEVEL SERIALIZABLE; -- <-
BEGIN;
INSERT INTO a (id) VALUES (uuidv7());
COMMIT;

-- bad: in a function
CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    SET TRANSACTION ISOLATION LEVEL SERIALIZABLE; -- <-
END
$$;

-- repaired: with BEGIN
-- tradewright: no-transaction
CREATE TABLE a (id uuid PRIMARY KEY);
BEGIN ISOLATION LEVEL SERIALIZABLE;
INSERT INTO a (id) VALUES (uuidv7());
COMMIT;

-- near miss: the first statement after BEGIN
-- tradewright: no-transaction
BEGIN;
SET TRANSACTION ISOLATION LEVEL SERIALIZABLE;
CREATE TABLE a (id uuid PRIMARY KEY);
COMMIT;
