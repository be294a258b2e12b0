-- bad: behind a released one
-- file: 004_orders.sql
CREATE TABLE orders (id uuid PRIMARY KEY); -- <-
-- file: 005_fees.sql
-- released: 005_fees.sql
CREATE TABLE fees (id uuid PRIMARY KEY);

-- repaired: after it
-- file: 005_fees.sql
-- released: 005_fees.sql
CREATE TABLE fees (id uuid PRIMARY KEY);
-- file: 006_orders.sql
CREATE TABLE orders (id uuid PRIMARY KEY);

-- near miss: nothing is released, or it is repeatable
-- file: V1__orders.sql
CREATE TABLE orders (id uuid PRIMARY KEY);
-- file: V2__fees.sql
CREATE TABLE fees (id uuid PRIMARY KEY);
-- file: R__all.sql
-- released: R__all.sql
CREATE OR REPLACE VIEW all_orders AS SELECT id FROM orders;
