-- bad: no key
CREATE TABLE payments (amount numeric(20, 8) NOT NULL, currency text NOT NULL); -- <-

-- repaired: with a key
CREATE TABLE payments (id uuid PRIMARY KEY, amount numeric(20, 8) NOT NULL, currency text NOT NULL);

-- near miss: added later, inherited by a partition, temporary
CREATE TABLE payments (id uuid NOT NULL, currency text NOT NULL);
ALTER TABLE payments ADD CONSTRAINT payments_pkey PRIMARY KEY (id);
CREATE TABLE logs (id uuid NOT NULL, at timestamptz NOT NULL, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
CREATE TABLE logs_default PARTITION OF logs DEFAULT;
CREATE TEMPORARY TABLE scratch (a integer);

-- bad: a unique key would do as one
CREATE TABLE links (a uuid NOT NULL, b uuid NOT NULL); -- <-
CREATE UNIQUE INDEX links_once ON links (a, b);
