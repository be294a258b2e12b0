-- bad: a user without a foreign key, in a later file and in another type
-- file: 001_init.sql
CREATE TABLE users (id uuid PRIMARY KEY);
-- file: 002_payments.sql
CREATE TABLE payment_transactions (
    id uuid PRIMARY KEY,
    user_id uuid NOT NULL, -- <-
    external_id text
);
CREATE TABLE fraud_checks (
    id uuid PRIMARY KEY,
    payment_transaction_id uuid NOT NULL, -- <-
    score integer CHECK (score BETWEEN 0 AND 100)
);

-- repaired: added later by ALTER TABLE
CREATE TABLE users (id uuid PRIMARY KEY);
CREATE TABLE payments (id uuid PRIMARY KEY, user_id uuid NOT NULL);
ALTER TABLE payments ADD CONSTRAINT payments_user_id_fkey
FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE RESTRICT;
CREATE INDEX idx_payments_user_id ON payments (user_id);

-- near miss: no such table, an audit trail, its own key, a composite key
CREATE TABLE users (user_id uuid PRIMARY KEY);
CREATE TABLE audit_log (id uuid PRIMARY KEY, user_id uuid);
CREATE TABLE sessions (id uuid PRIMARY KEY, device_id text, session_id text);

-- bad: names with humps
CREATE TABLE "WorkflowRun" (id uuid PRIMARY KEY);
CREATE TABLE "Step" (id uuid PRIMARY KEY, "workflowRunId" uuid); -- <-
