-- bad: a name and a value
CREATE FUNCTION clear(p_table text, p_day date) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE 'TRUNCATE ' || p_table; -- <-
    EXECUTE 'DELETE FROM logs WHERE day = ''' || p_day || ''''; -- <-
END
$$;

-- repaired: format and USING
CREATE FUNCTION clear(p_table text, p_day date) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('TRUNCATE %I', p_table);
    EXECUTE 'DELETE FROM logs WHERE day = $1' USING p_day;
END
$$;

-- near miss: quoted parts, and literals over two lines
CREATE FUNCTION clear(p_table text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE 'TRUNCATE ' || quote_ident(p_table);
    EXECUTE 'SELECT 1 '
        || 'WHERE true';
END
$$;
