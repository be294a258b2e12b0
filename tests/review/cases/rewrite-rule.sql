-- bad: deletes do nothing
CREATE TABLE orders (id uuid PRIMARY KEY);
CREATE RULE orders_stay AS ON DELETE TO orders DO INSTEAD NOTHING; -- <-
CREATE RULE orders_told AS ON INSERT TO orders DO ALSO NOTIFY orders; -- <-

-- repaired: a trigger refuses
CREATE TABLE orders (id uuid PRIMARY KEY);
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'orders stay';
END $$;
CREATE TRIGGER orders_stay BEFORE DELETE ON orders
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- near miss: of a view
CREATE TABLE orders (id uuid PRIMARY KEY);
CREATE VIEW open_orders AS SELECT id FROM orders;
CREATE RULE open_orders_stay AS ON DELETE TO open_orders DO INSTEAD NOTHING;
