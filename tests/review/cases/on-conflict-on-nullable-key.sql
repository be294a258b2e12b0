-- bad: the default limits, added again at each run
CREATE TABLE payment_limits (
    id uuid PRIMARY KEY,
    user_id uuid,
    method text NOT NULL,
    UNIQUE (user_id, method)
);
INSERT INTO payment_limits (id, user_id, method) VALUES (uuidv7(), NULL, 'card')
ON CONFLICT (user_id, method) DO NOTHING; -- <-

-- repaired: NULLs are one value
CREATE TABLE payment_limits (
    id uuid PRIMARY KEY,
    user_id uuid,
    method text NOT NULL,
    UNIQUE NULLS NOT DISTINCT (user_id, method)
);
INSERT INTO payment_limits (id, user_id, method) VALUES (uuidv7(), NULL, 'card')
ON CONFLICT (user_id, method) DO NOTHING;

-- near miss: the statement always gives a value
CREATE TABLE payment_limits (id uuid PRIMARY KEY, code text, UNIQUE (code));
INSERT INTO payment_limits (id, code) VALUES (uuidv7(), 'card') ON CONFLICT (code) DO NOTHING;
