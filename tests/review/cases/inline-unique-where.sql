-- bad: one open position per symbol
CREATE TABLE positions (
    id uuid PRIMARY KEY,
    account_id uuid NOT NULL,
    symbol text NOT NULL,
    is_open boolean NOT NULL,
    UNIQUE (account_id, symbol) WHERE is_open = TRUE -- <-
);

-- repaired: a partial unique index
CREATE TABLE positions (
    id uuid PRIMARY KEY,
    symbol text NOT NULL,
    is_open boolean NOT NULL
);
CREATE UNIQUE INDEX positions_open_once ON positions (symbol) WHERE is_open;

-- near miss: a column called where_from after a unique constraint
CREATE TABLE sources (
    id uuid PRIMARY KEY,
    name text NOT NULL,
    UNIQUE (name),
    where_from text
);
