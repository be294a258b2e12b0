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

-- bad: a procedure that commits between BEGIN and EXCEPTION
CREATE PROCEDURE pay(p_id integer) LANGUAGE plpgsql AS $$
BEGIN
    FOR i IN 1..9 LOOP
        BEGIN
            UPDATE balances SET available = CASE WHEN id = i THEN 0 END WHERE id = p_id;
            COMMIT; -- <-
        EXCEPTION WHEN others THEN
            RAISE NOTICE 'left out';
        END;
    END LOOP;
END
$$;

-- near miss: a procedure that commits behind such a block, or where the error is handled
CREATE PROCEDURE pay(p_id integer) LANGUAGE plpgsql AS $$
BEGIN
    FOR i IN 1..9 LOOP
        BEGIN
            CASE i WHEN 1 THEN UPDATE balances SET available = 0 WHERE id = p_id; END CASE;
        EXCEPTION WHEN others THEN
            ROLLBACK;
        END;
        IF i = 9 THEN
            RAISE EXCEPTION 'too many';
        END IF;
        COMMIT;
    END LOOP;
END
$$;
