-- bad: none, and a plain one
CREATE TABLE payments (id uuid PRIMARY KEY, user_id uuid NOT NULL);
CREATE MATERIALIZED VIEW totals AS -- <-
SELECT user_id, count(*) AS n FROM payments GROUP BY user_id;
CREATE INDEX idx_totals ON totals (user_id);

-- repaired: unique
CREATE TABLE payments (id uuid PRIMARY KEY, user_id uuid NOT NULL);
CREATE MATERIALIZED VIEW totals AS SELECT user_id, count(*) AS n FROM payments GROUP BY user_id;
CREATE UNIQUE INDEX totals_once ON totals (user_id);

-- near miss: a plain view
CREATE TABLE payments (id uuid PRIMARY KEY, user_id uuid NOT NULL);
CREATE VIEW totals AS SELECT user_id, count(*) AS n FROM payments GROUP BY user_id;
