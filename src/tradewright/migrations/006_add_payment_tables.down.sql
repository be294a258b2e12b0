-- Takes away payments, wallets, holds and the journal with all the money that they record; what
-- remains in accounts.balance is no longer explained by any entry.

DROP TABLE fraud_checks;
DROP TABLE payment_transactions;
DROP FUNCTION payments_follow_their_states();
DROP TABLE payment_limits;
DROP FUNCTION transfer_to_wallet(uuid, numeric, uuid);
DROP FUNCTION transfer_to_account(uuid, numeric, uuid);
DROP FUNCTION require_active_account(accounts);
DROP FUNCTION lock_account(uuid);
DROP FUNCTION post_account_entry(accounts, text, numeric, uuid, text, uuid);
DROP FUNCTION debit_reserved_balance(uuid, uuid, numeric, text);
DROP FUNCTION release_user_balance(uuid, uuid, numeric);
DROP FUNCTION replayed_draw(uuid, text, uuid, numeric, uuid, text);
DROP FUNCTION draw_hold(uuid, numeric, text);
DROP FUNCTION lock_wallet_of_hold(uuid);
DROP FUNCTION reserve_user_balance(uuid, text, numeric, uuid, text);
DROP FUNCTION debit_user_balance(uuid, text, numeric, uuid, text);
DROP FUNCTION existing_wallet(uuid, text, numeric);
DROP FUNCTION credit_user_balance(uuid, text, numeric, uuid, text);
DROP FUNCTION write_transfer(uuid, text, uuid, uuid, text, numeric);
DROP FUNCTION post_wallet_entry(user_balances, text, numeric, uuid, text, uuid, uuid);
DROP FUNCTION replayed_entry(uuid, text, uuid, numeric, uuid, text, text);
DROP FUNCTION lock_wallet(uuid, text, boolean);
DROP FUNCTION house_holder(text, text);
DROP FUNCTION check_ledger_amount(numeric, text);
DROP TYPE ledger_reply;
DROP TRIGGER accounts_open_empty ON accounts;
DROP TRIGGER accounts_update_follows_entries ON accounts;
DROP TRIGGER accounts_are_kept ON accounts;
DROP TABLE balance_ledger;
DROP TABLE balance_holds;
DROP TABLE user_balances;
DROP TABLE transfers;
DROP FUNCTION refuse_opening_balance();
DROP FUNCTION hold_follows_its_entries();
DROP FUNCTION wallet_balances_follow_their_entries();
DROP FUNCTION account_balances_follow_their_entries();
