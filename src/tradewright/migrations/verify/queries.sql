-- What `tradewright verify` measures with and without indexes: the queries for which they are there.

-- name: fill_orders_without_guards
-- The guards look at money and events, which these rows have none of.
ALTER TABLE orders DISABLE TRIGGER USER;

-- name: fill_positions_without_guards
-- As above.
ALTER TABLE positions DISABLE TRIGGER USER;

-- name: fill_trades_without_guards
-- As above.
ALTER TABLE trades DISABLE TRIGGER USER;

-- name: fill_entries_without_guards
-- As above.
ALTER TABLE balance_ledger DISABLE TRIGGER USER;

-- name: fill_orders
-- Orders of two thousand accounts in ten symbols, one in a hundred still live.
INSERT INTO orders (
    id, account_id, client_order_id, symbol, side, order_type, time_in_force, origin, book,
    quantity, filled_quantity, remaining_quantity, limit_price, status, is_routed, metadata,
    version, created_at
)
SELECT
    uuidv7(),
    md5((number %% 2000)::text)::uuid,
    number::text,
    'SYM' || number %% 10,
    'buy',
    'limit',
    'gtc',
    'client',
    'B',
    1000,
    0,
    CASE WHEN number %% 100 = 0 THEN 1000 ELSE 0 END,
    1.1,
    CASE WHEN number %% 100 = 0 THEN 'new' ELSE 'canceled' END,
    false,
    CASE WHEN number %% 50 = 0 THEN jsonb_build_object('campaign', number %% 700) END,
    1,
    '2026-01-01 00:00+00'::timestamptz + number * interval '10 seconds'
FROM generate_series(1, %(rows)s::integer) AS number;

-- name: fill_positions
-- As many positions, one in fifty open.
INSERT INTO positions (id, account_id, symbol, quantity, average_price, is_open, version, closed_at)
SELECT
    uuidv7(),
    md5((number / 50)::text)::uuid,
    'SYM' || number %% 10,
    CASE WHEN number %% 50 = 0 THEN 1000 ELSE 0 END,
    1.1,
    number %% 50 = 0,
    2,
    CASE WHEN number %% 50 = 0 THEN NULL ELSE clock_timestamp() END
FROM generate_series(1, %(rows)s::integer) AS number;

-- name: fill_trades
-- As many trades, in the order of time.
INSERT INTO trades (
    id, account_id, fill_id, position_id, position_version, effect, quantity, price,
    conversion_rate, realised_pnl, commission, executed_at, position_quantity,
    position_average_price, position_realised_pnl
)
SELECT
    uuidv7(),
    md5((number %% 2000)::text)::uuid,
    md5('fill' || number)::uuid,
    md5('position' || number)::uuid,
    1,
    'open',
    1000,
    1.1,
    1,
    0,
    0.07,
    '2026-01-01 00:00+00'::timestamptz + number * interval '10 seconds',
    1000,
    1.1,
    0
FROM generate_series(1, %(rows)s::integer) AS number;

-- name: fill_entries
-- As many entries of the ledger.
INSERT INTO balance_ledger (
    holder_id, version, user_id, currency, transaction_id, operation, effect, amount,
    available_before, available_after, reserved_before, reserved_after, transfer_id, created_at
)
SELECT
    md5((number %% 2000)::text)::uuid,
    1 + number / 2000,
    md5('user' || number %% 2000)::uuid,
    'USD',
    md5('transaction' || number)::uuid,
    'credit',
    'credit',
    0.01,
    number,
    number + 0.01,
    0,
    0,
    md5('transfer' || number)::uuid,
    '2026-01-01 00:00+00'::timestamptz + number * interval '10 seconds'
FROM generate_series(1, %(rows)s::integer) AS number;

-- name: live_orders_of_an_account
-- What the margin check reads before each order.
SELECT id, symbol, side, remaining_quantity
FROM orders
WHERE account_id = md5('100')::uuid AND remaining_quantity > 0;

-- name: orders_of_an_account_by_symbol_and_status
-- The composite index of the founding review.
SELECT id, quantity, created_at
FROM orders
WHERE account_id = md5('7')::uuid AND symbol = 'SYM7' AND status = 'canceled';

-- name: orders_of_a_campaign
-- A key in the metadata, by the GIN index.
SELECT id FROM orders WHERE metadata @> '{"campaign": 50}';

-- name: orders_of_an_hour
-- A span of time, by the BRIN index.
SELECT count(*)
FROM orders
WHERE created_at >= '2026-01-01 10:00+00' AND created_at < '2026-01-01 11:00+00';

-- name: open_position_of_an_account
-- What is locked before each order.
SELECT id, quantity, average_price
FROM positions
WHERE account_id = md5('40')::uuid AND symbol = 'SYM0' AND is_open;

-- name: last_trades_of_an_account
-- The statement of a client, its newest page.
SELECT id, price, quantity, executed_at
FROM trades
WHERE account_id = md5('7')::uuid
ORDER BY executed_at DESC
LIMIT 20;

-- name: last_entries_of_a_wallet
-- The movements of a client's money, their newest page.
SELECT version, operation, amount, available_after, created_at
FROM balance_ledger
WHERE holder_id = md5('7')::uuid
ORDER BY version DESC
LIMIT 20;
