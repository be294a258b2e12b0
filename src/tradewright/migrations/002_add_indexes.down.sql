-- Takes away the indexes and statistics targets of 002; no data is lost.

ALTER TABLE trades ALTER COLUMN account_id SET STATISTICS DEFAULT;
ALTER TABLE orders ALTER COLUMN account_id SET STATISTICS DEFAULT;
ALTER TABLE orders ALTER COLUMN symbol SET STATISTICS DEFAULT;
DROP INDEX CONCURRENTLY IF EXISTS idx_trades_executed_at_brin;
DROP INDEX CONCURRENTLY IF EXISTS idx_trades_fill_id;
DROP INDEX CONCURRENTLY IF EXISTS idx_trades_account_id_executed_at;
DROP INDEX CONCURRENTLY IF EXISTS idx_close_bys_by_position_id;
DROP INDEX CONCURRENTLY IF EXISTS idx_close_bys_position_id;
DROP INDEX CONCURRENTLY IF EXISTS idx_close_bys_account_id;
DROP INDEX CONCURRENTLY IF EXISTS idx_closing_orders_position_id;
DROP INDEX CONCURRENTLY IF EXISTS idx_swap_terms_currency;
DROP INDEX CONCURRENTLY IF EXISTS idx_position_rollovers_trade_id;
DROP INDEX CONCURRENTLY IF EXISTS idx_positions_account_id_symbol_open;
DROP INDEX CONCURRENTLY IF EXISTS idx_order_fills_provider_id_execution_id;
DROP INDEX CONCURRENTLY IF EXISTS idx_order_fills_order_id;
DROP INDEX CONCURRENTLY IF EXISTS idx_orders_metadata;
DROP INDEX CONCURRENTLY IF EXISTS idx_orders_created_at_brin;
DROP INDEX CONCURRENTLY IF EXISTS idx_orders_account_id_oco_group;
DROP INDEX CONCURRENTLY IF EXISTS idx_orders_account_id_live;
DROP INDEX CONCURRENTLY IF EXISTS idx_orders_account_id_symbol_status;
DROP INDEX CONCURRENTLY IF EXISTS idx_accounts_group_code;
DROP INDEX CONCURRENTLY IF EXISTS idx_commission_terms_currency;
DROP INDEX CONCURRENTLY IF EXISTS idx_commission_terms_symbol;
DROP INDEX CONCURRENTLY IF EXISTS idx_accounts_user_id;
DROP INDEX CONCURRENTLY IF EXISTS idx_ledger_holders_currency;
DROP INDEX CONCURRENTLY IF EXISTS idx_instruments_quote_currency;
DROP INDEX CONCURRENTLY IF EXISTS idx_instruments_base_currency;
