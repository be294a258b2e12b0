-- Takes away the providers' answers and the routing with all that they record; the providers
-- themselves stay.

DROP FUNCTION roll_up_exposures(boolean);
DROP VIEW kept_exposures;
DROP TABLE exposure_changes;
DROP TABLE exposure_totals;
DROP VIEW house_exposures;
DROP TABLE routing_decisions;
DROP TABLE client_profiles;
DROP TABLE routing_rankings;
DROP TABLE routing_overrides;
DROP TABLE routing_rules;
DROP TABLE routing_policies;
DROP TABLE last_prices;
DROP TABLE provider_trade_breaks;
DROP TABLE provider_trades;
DROP TABLE provider_trade_lists;
DROP TABLE fix_messages;
DROP TABLE fix_sessions;
DROP TABLE provider_connections;
DROP TABLE trade_reversals;
DROP TABLE trade_adjustments;
DROP TABLE provider_correction_settlements;
DROP FUNCTION first_execution(uuid, text);
DROP FUNCTION referred_execution(uuid, text, text);
DROP FUNCTION execution_name(uuid, text, text);
DROP TABLE provider_corrections;
DROP TABLE unsolicited_fill_resolutions;
DROP TABLE unsolicited_fills;
DROP TABLE provider_requests;
DROP TABLE hedge_fills;
DROP TABLE hedges;
DROP TRIGGER order_fills_refer_to_rows ON order_fills;
DROP FUNCTION order_fills_refer_to_rows();
DROP TRIGGER liquidity_providers_keep_their_key ON liquidity_providers;
DROP TRIGGER liquidity_providers_are_kept ON liquidity_providers;
DROP TRIGGER liquidity_providers_are_audited ON liquidity_providers;
DROP TRIGGER liquidity_providers_count_revision ON liquidity_providers;
