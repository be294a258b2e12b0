-- bad: an index
CREATE TABLE t (id uuid PRIMARY KEY, a text);
CREATE INDEX idx_t_a_which_serves_the_monthly_report_of_all_open_orders_by_day ON t (a); -- <-

-- repaired: short
CREATE TABLE t (id uuid PRIMARY KEY, a text);
CREATE INDEX idx_t_a ON t (a);

-- near miss: a long word in a string and in a comment
-- aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
CREATE TABLE t (id uuid PRIMARY KEY, a text DEFAULT 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa');
