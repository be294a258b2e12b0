-- bad: a table that is not there, a function that is not there, at the second command
CREATE TABLE orders (id uuid PRIMARY KEY, side text NOT NULL CHECK (side = 'buy'));
CREATE FUNCTION log_order() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO order_log (order_id) VALUES (NEW.id);
    RETURN NEW;
END;
$$;
CREATE FUNCTION count_order() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        PERFORM recount();
    END IF;
    RETURN NULL;
END;
$$;
CREATE TRIGGER orders_are_logged AFTER INSERT ON orders FOR EACH ROW EXECUTE FUNCTION log_order(); -- <-
CREATE TRIGGER orders_are_counted AFTER INSERT OR DELETE ON orders FOR EACH STATEMENT EXECUTE FUNCTION count_order(); -- <-

-- repaired: the table is there
CREATE TABLE orders (id uuid PRIMARY KEY);
CREATE TABLE order_log (order_id uuid PRIMARY KEY REFERENCES orders (id));
CREATE FUNCTION log_order() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO order_log (order_id) VALUES (NEW.id);
    RETURN NEW;
END;
$$;
CREATE TRIGGER orders_are_logged AFTER INSERT ON orders FOR EACH ROW EXECUTE FUNCTION log_order();

-- near miss: a guard refuses on purpose
CREATE TABLE orders (id uuid PRIMARY KEY);
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'orders are never changed';
END;
$$;
CREATE TRIGGER orders_are_kept BEFORE UPDATE OR DELETE ON orders FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- near miss: a guard refuses in the words of a CHECK
CREATE TABLE orders (id uuid PRIMARY KEY, quantity numeric NOT NULL);
CREATE FUNCTION refuse_quantity() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE check_violation USING MESSAGE = 'orders are for something';
END;
$$;
CREATE TRIGGER orders_are_for_something AFTER INSERT ON orders FOR EACH ROW EXECUTE FUNCTION refuse_quantity();

-- near miss: a table whose columns all have a default
CREATE TABLE settings (id uuid DEFAULT gen_random_uuid() PRIMARY KEY, days integer DEFAULT 30 NOT NULL);
CREATE TABLE settings_log (days integer);
CREATE FUNCTION log_settings() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO settings_log (days) VALUES (NEW.days);
    RETURN NULL;
END;
$$;
CREATE TRIGGER settings_are_logged AFTER INSERT OR UPDATE ON settings FOR EACH ROW EXECUTE FUNCTION log_settings();
