-- bad: random, the clock, a serial
ALTER TABLE orders ADD COLUMN public_id uuid DEFAULT gen_random_uuid(); -- <-
ALTER TABLE orders ADD COLUMN seen_at timestamptz DEFAULT clock_timestamp(); -- <-
ALTER TABLE orders ADD COLUMN number bigserial; -- <-

-- repaired: the default comes after
ALTER TABLE orders ADD COLUMN public_id uuid;
ALTER TABLE orders ALTER COLUMN public_id SET DEFAULT gen_random_uuid();

-- near miss: a constant, and now()
ALTER TABLE orders ADD COLUMN status text DEFAULT 'new';
ALTER TABLE orders ADD COLUMN created_at timestamptz DEFAULT now();
