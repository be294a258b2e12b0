-- bad: a default of T-SQL, and a trigger before its function
CREATE TABLE events (
    id uuid PRIMARY KEY,
    at timestamptz DEFAULT getdate() -- <-
);
CREATE TRIGGER touch BEFORE UPDATE ON events FOR EACH ROW EXECUTE FUNCTION touch_row(); -- <-

-- repaired: the function comes first
CREATE TABLE events (id uuid PRIMARY KEY, at timestamptz DEFAULT now());
CREATE FUNCTION touch_row() RETURNS trigger LANGUAGE plpgsql
AS $$ BEGIN NEW.at := now(); RETURN NEW; END $$;
CREATE TRIGGER touch BEFORE UPDATE ON events FOR EACH ROW EXECUTE FUNCTION touch_row();

-- near miss: syntax that looks like a function, and functions with a schema
CREATE TABLE events (
    id uuid PRIMARY KEY,
    at timestamptz DEFAULT coalesce(NULL, current_timestamp),
    week integer GENERATED ALWAYS AS (greatest(1, 2)) STORED,
    tag text DEFAULT app.tag()
);
