-- bad: prices and balances
CREATE TABLE accounts (
    id uuid PRIMARY KEY,
    balance FLOAT NOT NULL, -- <-
    last_price real, -- <-
    quantity double precision -- <-
);

-- repaired: exact
CREATE TABLE accounts (
    id uuid PRIMARY KEY,
    balance numeric(20, 8) NOT NULL CONSTRAINT finite CHECK (balance < 'Infinity'),
    last_price numeric(20, 8)
);

-- near miss: a measure, a share of time, and a count of prices
CREATE TABLE quotes (id uuid PRIMARY KEY, latency_ms real, price_count double precision);

-- bad: names with humps
CREATE TABLE "OrderLine" (
    id uuid PRIMARY KEY,
    "unitPrice" double precision, -- <-
    "TotalFXAmount" real -- <-
);

-- near miss: humps that say no money
CREATE TABLE "OrderLine" (id uuid PRIMARY KEY, "latencyMs" real, "priceCount" double precision);
