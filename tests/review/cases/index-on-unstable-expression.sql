-- bad: a day without a zone, and now in a condition
CREATE TABLE trades (id uuid PRIMARY KEY, at timestamptz NOT NULL, symbol text NOT NULL);
CREATE INDEX idx_trades_day ON trades (date_trunc('day', at)); -- <-
CREATE INDEX idx_trades_recent ON trades (symbol) WHERE at > now(); -- <-

-- bad: a stored column
CREATE TABLE trades (
    id uuid PRIMARY KEY,
    at timestamptz NOT NULL,
    seen timestamptz GENERATED ALWAYS AS (clock_timestamp()) STORED -- <-
);

-- repaired: a fixed zone
CREATE TABLE trades (id uuid PRIMARY KEY, at timestamptz NOT NULL);
CREATE INDEX idx_trades_day ON trades (date_trunc('day', at AT TIME ZONE 'UTC'));

-- near miss: immutable functions, a plain date, now() as a default
CREATE TABLE trades (
    id uuid PRIMARY KEY,
    symbol text NOT NULL,
    on_day date NOT NULL,
    at timestamptz NOT NULL DEFAULT now(),
    tag text GENERATED ALWAYS AS (lower(symbol)) STORED
);
CREATE INDEX idx_trades_symbol ON trades (lower(symbol), date_part('year', on_day));
