-- Indexes for the common queries.
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_accounts_user_id ON accounts(user_id); -- <- concurrently-in-transaction
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_orders_user_id ON orders(user_id); -- <- concurrently-in-transaction
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_orders_account_symbol_status -- <- concurrently-in-transaction
ON orders(account_id, symbol, status);
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_orders_metadata -- <- concurrently-in-transaction
ON orders USING GIN(metadata) WHERE metadata IS NOT NULL;
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_positions_account_symbol_open -- <- concurrently-in-transaction partial-in-name-only
ON positions(account_id, symbol, is_open);
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_trades_order_id ON trades(order_id); -- <- concurrently-in-transaction
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_trades_position_id ON trades(position_id); -- <- concurrently-in-transaction
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_trades_executed_at_brin -- <- concurrently-in-transaction
ON trades USING BRIN(executed_at);

ALTER TABLE orders ALTER COLUMN symbol SET STATISTICS 1000;
ANALYZE orders;

-- Down Migration (Rollback) -- <- down-in-comment
-- DROP INDEX IF EXISTS idx_orders_user_id;
-- DROP INDEX IF EXISTS idx_orders_metadata;
