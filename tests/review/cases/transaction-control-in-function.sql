-- bad: both
CREATE FUNCTION pay(p_id integer) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    UPDATE balances SET available = 0 WHERE id = p_id;
    IF NOT FOUND THEN
        ROLLBACK; -- <-
        RAISE EXCEPTION 'not found';
    END IF;
    COMMIT; -- <-
END
$$;

-- repaired: left to the caller
CREATE FUNCTION pay(p_id integer) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    UPDATE balances SET available = 0 WHERE id = p_id;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'not found';
    END IF;
END
$$;

-- near miss: a procedure, and a word in a message
CREATE PROCEDURE pay(p_id integer) LANGUAGE plpgsql AS $$
BEGIN
    UPDATE balances SET available = 0 WHERE id = p_id;
    COMMIT;
END
$$;
CREATE FUNCTION say() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    -- COMMIT;
    RAISE NOTICE 'COMMIT;';
END
$$;
