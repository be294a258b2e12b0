-- bad: read, decided, written
CREATE FUNCTION take(p_id uuid, p_amount numeric) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v numeric(20, 8);
BEGIN
    SELECT available_balance INTO v FROM balances WHERE id = p_id; -- <-
    IF v < p_amount THEN
        RAISE EXCEPTION 'too little';
    END IF;
    UPDATE balances SET available_balance = available_balance - p_amount WHERE id = p_id;
END
$$;

-- repaired: locked
CREATE FUNCTION take(p_id uuid, p_amount numeric) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v numeric(20, 8);
BEGIN
    SELECT available_balance INTO v FROM balances WHERE id = p_id FOR UPDATE;
    UPDATE balances SET available_balance = available_balance - p_amount WHERE id = p_id;
END
$$;

-- near miss: other columns are changed
CREATE FUNCTION take(p_id uuid) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v text;
BEGIN
    SELECT status INTO v FROM balances WHERE id = p_id;
    UPDATE balances SET status = 'seen' WHERE id = p_id;
END
$$;
