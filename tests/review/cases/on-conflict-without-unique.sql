-- bad: in a file, and in a function
CREATE TABLE balances (id uuid PRIMARY KEY, user_id uuid NOT NULL, currency text NOT NULL);
INSERT INTO balances (id, user_id, currency) VALUES (uuidv7(), uuidv7(), 'EUR')
ON CONFLICT (user_id, currency) DO NOTHING; -- <-
CREATE FUNCTION credit(p_user_id uuid) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO balances (id, user_id, currency) VALUES (uuidv7(), p_user_id, 'EUR')
    ON CONFLICT (user_id) DO NOTHING; -- <-
END
$$;

-- repaired: with the key, in any order
CREATE TABLE balances (user_id uuid NOT NULL, currency text NOT NULL, PRIMARY KEY (currency, user_id));
INSERT INTO balances (user_id, currency) VALUES (uuidv7(), 'EUR')
ON CONFLICT (user_id, currency) DO NOTHING;

-- near miss: a partial index with its condition, and a constraint by name
CREATE TABLE balances (id uuid PRIMARY KEY, code text NOT NULL, is_open boolean NOT NULL);
CREATE UNIQUE INDEX balances_open_once ON balances (code) WHERE is_open;
INSERT INTO balances (id, code, is_open) VALUES (uuidv7(), 'a', true)
ON CONFLICT (code) WHERE is_open DO NOTHING;
INSERT INTO balances (id, code, is_open) VALUES (uuidv7(), 'a', true)
ON CONFLICT ON CONSTRAINT balances_pkey DO NOTHING;
