-- Takes away the laws; no data is lost.

DROP FUNCTION check_laws(integer);
DROP VIEW laws_checked;
DROP VIEW law_seals_verify;
DROP VIEW law_every_change_is_audited;
DROP VIEW audited_rows;
DROP VIEW law_references_hold;
DROP VIEW law_realised_pnl_is_the_ledger;
DROP VIEW law_trade_is_in_the_ledger;
DROP VIEW law_trades_are_their_fill;
DROP VIEW law_position_is_its_trades;
DROP VIEW law_order_is_its_events;
DROP VIEW law_order_is_its_fills;
DROP VIEW law_receivables_are_the_house_account;
DROP VIEW law_claim_is_in_the_ledger;
DROP VIEW law_payment_is_in_the_ledger;
DROP VIEW law_hold_is_its_entries;
DROP VIEW law_reserved_is_open_holds;
DROP VIEW law_wallets_are_not_negative;
DROP VIEW law_reversals_are_within_their_original;
DROP VIEW law_transfer_has_its_entries;
DROP VIEW law_versions_are_gapless;
DROP VIEW law_entry_names_its_owner;
DROP VIEW law_balance_is_replay;
DROP VIEW law_balance_is_last_entry;
DROP VIEW holder_balances;
DROP VIEW law_money_sums_to_zero;
