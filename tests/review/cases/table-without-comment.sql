-- bad: one of three
CREATE TABLE users (id uuid PRIMARY KEY);
CREATE TABLE orders (id uuid PRIMARY KEY);
CREATE TABLE trades (id uuid PRIMARY KEY); -- <-
COMMENT ON TABLE users IS 'People.';
COMMENT ON TABLE orders IS 'What they asked for.';

-- repaired: all
CREATE TABLE users (id uuid PRIMARY KEY);
COMMENT ON TABLE users IS 'People.';

-- near miss: nobody comments
CREATE TABLE users (id uuid PRIMARY KEY);
CREATE TABLE orders (id uuid PRIMARY KEY);
