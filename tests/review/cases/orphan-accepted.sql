-- bad: a key that nobody enforces
CREATE TABLE users (id uuid PRIMARY KEY);
CREATE TABLE payments ( -- <-
    id uuid PRIMARY KEY,
    user_id uuid NOT NULL CONSTRAINT payments_user_exists REFERENCES users (id) NOT ENFORCED
);

-- repaired: enforced, in spite of checks, other keys and triggers that would refuse the row first
CREATE TABLE users (id uuid PRIMARY KEY);
CREATE TABLE currencies (code text PRIMARY KEY);
CREATE TABLE payments (
    id uuid PRIMARY KEY,
    user_id uuid NOT NULL CONSTRAINT payments_user_exists REFERENCES users (id),
    currency text NOT NULL CONSTRAINT payments_currency_known REFERENCES currencies (code),
    amount numeric(20, 8) NOT NULL CHECK (amount = 7),
    share numeric(10, 9) NOT NULL CHECK (share BETWEEN 0 AND 1),
    dust numeric(2, 2) NOT NULL CHECK (dust >= 0 AND dust < 1)
);
CREATE INDEX idx_payments_user_id ON payments (user_id);
CREATE INDEX idx_payments_currency ON payments (currency);
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'no payments today';
END;
$$;
CREATE TRIGGER payments_are_refused BEFORE INSERT ON payments FOR EACH ROW EXECUTE FUNCTION refuse();

-- near miss: a trigger keeps the key, and looks at this reference only
CREATE TABLE users (id uuid PRIMARY KEY);
CREATE TABLE currencies (code text PRIMARY KEY);
CREATE TABLE payments (
    id uuid PRIMARY KEY,
    user_id uuid NOT NULL CONSTRAINT payments_user_exists REFERENCES users (id) NOT ENFORCED,
    currency text NOT NULL CONSTRAINT payments_currency_known REFERENCES currencies (code)
);
CREATE INDEX idx_payments_user_id ON payments (user_id);
CREATE INDEX idx_payments_currency ON payments (currency);
CREATE FUNCTION require_user() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM users WHERE id = NEW.user_id) THEN
        RAISE foreign_key_violation USING MESSAGE = 'no such user';
    END IF;
    RETURN NEW;
END;
$$;
CREATE TRIGGER payments_have_users BEFORE INSERT ON payments FOR EACH ROW EXECUTE FUNCTION require_user();
