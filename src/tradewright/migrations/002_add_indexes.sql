-- 002: the indexes that declared queries and foreign keys need, and no others.
--
-- Each is built CONCURRENTLY so that writers go on; the runner therefore runs this file statement
-- by statement outside a transaction. An index on a hot table is paid for with every order, so a
-- foreign key whose column already leads another index gets none of its own.

CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_instruments_base_currency
    ON instruments (base_currency);

CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_instruments_quote_currency
    ON instruments (quote_currency);

CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_ledger_holders_currency
    ON ledger_holders (currency);

CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_accounts_user_id
    ON accounts (user_id);

CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_commission_terms_symbol
    ON commission_terms (symbol);

CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_commission_terms_currency
    ON commission_terms (currency);

CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_accounts_group_code
    ON accounts (group_code);

-- Orders of an account in a symbol by state; its first column also serves the foreign key.
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_orders_account_id_symbol_status
    ON orders (account_id, symbol, status);

-- What still rests: a handful of rows among millions, read at every start and stop-out.
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_orders_account_id_live
    ON orders (account_id)
    WHERE remaining_quantity > 0;

-- The alternatives of an order, among the few orders that have any.
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_orders_account_id_oco_group
    ON orders (account_id, oco_group)
    WHERE oco_group IS NOT NULL;

CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_orders_created_at_brin
    ON orders USING brin (created_at);

CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_orders_metadata
    ON orders USING gin (metadata jsonb_path_ops)
    WHERE metadata IS NOT NULL;

CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_order_fills_order_id
    ON order_fills (order_id);

-- A provider's execution is booked once; the house's own fills have none.
CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS idx_order_fills_provider_id_execution_id
    ON order_fills (provider_id, provider_execution_id)
    WHERE provider_execution_id IS NOT NULL;

-- What an account holds open. In netting there is one such position per account and symbol, the
-- truth that the mode rests on; in the other modes each position counts for itself.
CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS idx_positions_account_id_symbol_open
    ON positions (account_id, symbol, (CASE position_mode WHEN 'netting' THEN account_id ELSE id END))
    WHERE is_open;

CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_position_rollovers_trade_id
    ON position_rollovers (trade_id)
    WHERE trade_id IS NOT NULL;

CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_swap_terms_currency
    ON swap_terms (currency);

CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_past_account_groups_group_code
    ON past_account_groups (group_code);

CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_closing_orders_position_id
    ON closing_orders (position_id);

CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_close_bys_account_id
    ON close_bys (account_id);

CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_close_bys_position_id
    ON close_bys (position_id);

CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_close_bys_by_position_id
    ON close_bys (by_position_id);

CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_trades_account_id_executed_at
    ON trades (account_id, executed_at);

CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_trades_fill_id
    ON trades (fill_id);

CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_trades_executed_at_brin
    ON trades USING brin (executed_at);

-- Symbols and accounts are skewed: a few carry most rows, so the planner gets finer statistics.
-- The next automatic ANALYZE gathers them; one made here, on empty tables, would only teach the
-- planner that they are empty, and writers that plan in that moment would scan what grows later.
ALTER TABLE orders ALTER COLUMN symbol SET STATISTICS 1000;
ALTER TABLE orders ALTER COLUMN account_id SET STATISTICS 1000;
ALTER TABLE trades ALTER COLUMN account_id SET STATISTICS 1000;
