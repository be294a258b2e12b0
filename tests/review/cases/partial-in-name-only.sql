-- bad: open positions, all of them
CREATE TABLE positions (id uuid PRIMARY KEY, symbol text NOT NULL, is_open boolean NOT NULL);
CREATE INDEX idx_positions_symbol_open ON positions (symbol, is_open); -- <-

-- repaired: with a condition
CREATE TABLE positions (id uuid PRIMARY KEY, symbol text NOT NULL, is_open boolean NOT NULL);
CREATE INDEX idx_positions_symbol_open ON positions (symbol) WHERE is_open;

-- near miss: a price called open, and a table of that name
CREATE TABLE bars (id uuid PRIMARY KEY, open_price numeric(20, 8));
CREATE INDEX idx_bars_open_price ON bars (open_price);
CREATE TABLE active_sessions (id uuid PRIMARY KEY, name text);
CREATE INDEX idx_active_sessions_name ON active_sessions (name);
