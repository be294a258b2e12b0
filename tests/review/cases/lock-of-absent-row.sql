-- bad: locked, then inserted
CREATE FUNCTION credit(p_user_id uuid, p_amount numeric) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_before numeric(20, 8);
BEGIN
    SELECT available INTO v_before -- <-
    FROM balances
    WHERE user_id = p_user_id
    FOR UPDATE;
    IF NOT FOUND THEN
        INSERT INTO balances (user_id, available) VALUES (p_user_id, p_amount);
    END IF;
END
$$;

-- repaired: inserted first
CREATE FUNCTION credit(p_user_id uuid) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO balances (user_id, available) VALUES (p_user_id, 0) ON CONFLICT (user_id) DO NOTHING;
    PERFORM 1 FROM balances WHERE user_id = p_user_id FOR UPDATE;
END
$$;

-- near miss: the insert goes to another table
CREATE FUNCTION credit(p_user_id uuid) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM balances WHERE user_id = p_user_id FOR UPDATE;
    INSERT INTO ledger (user_id) VALUES (p_user_id);
END
$$;

-- near miss: read, inserted if absent, and locked again
CREATE FUNCTION lock_wallet(p_user_id uuid) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM balances WHERE user_id = p_user_id FOR UPDATE;
    IF NOT FOUND THEN
        INSERT INTO balances (user_id, available) VALUES (p_user_id, 0) ON CONFLICT DO NOTHING;
        PERFORM 1 FROM balances WHERE user_id = p_user_id FOR UPDATE;
    END IF;
END
$$;
