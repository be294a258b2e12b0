-- bad: any amount
CREATE FUNCTION credit(p_id uuid, p_amount DECIMAL(20, 8)) RETURNS void LANGUAGE plpgsql AS $$ -- <-
BEGIN
    UPDATE balances SET available_balance = available_balance + p_amount WHERE id = p_id;
END
$$;

-- repaired: checked
CREATE FUNCTION credit(p_id uuid, p_amount numeric) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF NOT (p_amount > 0 AND p_amount < 'Infinity') THEN
        RAISE EXCEPTION 'amount must be positive';
    END IF;
    UPDATE balances SET available_balance = available_balance + p_amount WHERE id = p_id;
END
$$;

-- near miss: it only reads, and a checking function is called
CREATE FUNCTION worth(p_price numeric) RETURNS numeric LANGUAGE sql AS 'SELECT p_price * 2';
CREATE FUNCTION credit(p_id uuid, p_amount numeric) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM require_amount(p_amount);
    UPDATE balances SET available_balance = available_balance + p_amount WHERE id = p_id;
END
$$;

-- near miss: it goes into a column whose domain checks it
CREATE DOMAIN positive_amount AS numeric(20, 8) CHECK (VALUE > 0 AND VALUE < 'Infinity');
CREATE TABLE movements (id uuid PRIMARY KEY, amount positive_amount NOT NULL);
CREATE FUNCTION move(p_id uuid, p_amount numeric) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO movements (id, amount) VALUES (p_id, p_amount);
END
$$;
