-- Takes away users, instruments, accounts, orders, positions and trades with all that they hold.

DROP TABLE opening_rates;
DROP TABLE position_rollovers;
DROP TABLE trades;
DROP TABLE close_bys;
DROP TABLE closing_orders;
DROP TABLE trading_days;
DROP TABLE rollover_holidays;
DROP TABLE swap_terms;
DROP TABLE positions;
DROP TABLE order_fills;
DROP TABLE liquidity_providers;
DROP TABLE orders;
DROP FUNCTION order_quantities_add_up(text, numeric, numeric, numeric);
DROP TABLE engines;
DROP TABLE accounts;
DROP TABLE commission_terms;
DROP TABLE account_groups;
DROP TABLE house_accounts;
DROP TABLE ledger_holders;
DROP TABLE instruments;
DROP TABLE user_roles;
DROP TABLE users;
DROP TABLE currencies;
