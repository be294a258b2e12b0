-- bad: added and used
-- file: 001_init.sql
CREATE TYPE order_status AS ENUM ('open', 'filled');
CREATE TABLE orders (id uuid PRIMARY KEY, status order_status NOT NULL);
-- file: 002_expire.sql
ALTER TYPE order_status ADD VALUE IF NOT EXISTS 'expired';
UPDATE orders SET status = 'expired' WHERE status = 'open'; -- <-

-- repaired: two files
-- file: 001_init.sql
CREATE TYPE order_status AS ENUM ('open', 'filled');
CREATE TABLE orders (id uuid PRIMARY KEY, status order_status NOT NULL);
-- file: 002_add.sql
ALTER TYPE order_status ADD VALUE IF NOT EXISTS 'expired';
-- file: 003_expire.sql
UPDATE orders SET status = 'expired' WHERE status = 'open';

-- near miss: a type of the same transaction
CREATE TYPE order_status AS ENUM ('open', 'filled');
ALTER TYPE order_status ADD VALUE 'expired';
CREATE TABLE orders (id uuid PRIMARY KEY, status order_status NOT NULL DEFAULT 'expired');
