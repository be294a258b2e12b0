-- bad: asleep, and against everybody
SELECT pg_sleep(5); -- <-
LOCK TABLE orders; -- <-
LOCK TABLE fills, trades IN ACCESS EXCLUSIVE MODE; -- <-

-- repaired: readers pass
LOCK TABLE orders IN SHARE ROW EXCLUSIVE MODE;

-- near miss: its own table, and another function
CREATE TABLE notes (id uuid PRIMARY KEY);
LOCK TABLE notes;
SELECT pg_notify('channel', 'pg_sleep');
