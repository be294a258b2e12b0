-- bad: five columns
CREATE TABLE t (id uuid PRIMARY KEY, a text, b text, c text, d text, e text);
CREATE INDEX idx_t_all ON t (a, b, c, d, e); -- <-

-- repaired: two
CREATE TABLE t (id uuid PRIMARY KEY, a text, b text, c text, d text, e text);
CREATE INDEX idx_t_all ON t (a, b) INCLUDE (c, d, e);

-- near miss: unique
CREATE TABLE t (id uuid PRIMARY KEY, a text NOT NULL, b text NOT NULL, c text NOT NULL, d text NOT NULL, e text NOT NULL);
CREATE UNIQUE INDEX idx_t_all ON t (a, b, c, d, e);
