-- bad: all of them, and one by its name
ALTER TABLE orders DISABLE TRIGGER ALL; -- <-
INSERT INTO orders SELECT * FROM orders_before;
ALTER TABLE fills DISABLE TRIGGER fills_audit; -- <-

-- bad: for the whole session
SET session_replication_role = replica; -- <-

-- bad: another table's come back
ALTER TABLE orders DISABLE TRIGGER USER; -- <-
ALTER TABLE fills ENABLE TRIGGER ALL;

-- repaired: it comes back
ALTER TABLE orders DISABLE TRIGGER orders_notify;
INSERT INTO orders SELECT * FROM orders_before;
ALTER TABLE orders ENABLE TRIGGER orders_notify;

-- near miss: for one transaction, and set back to what it was
SET LOCAL session_replication_role = 'replica';
SET session_replication_role = DEFAULT;
SET session_replication_role = origin;

-- near miss: for the session, and set back in the same file
SET session_replication_role = replica;
INSERT INTO orders SELECT * FROM orders_before;
RESET session_replication_role;

-- bad: set again to the same
SET session_replication_role = replica; -- <-
SET session_replication_role = 'replica'; -- <-
