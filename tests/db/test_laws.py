"""Each law of migration 007 is silent on good rows and tells when it is broken, and only it."""

from dataclasses import asdict, dataclass
from datetime import date, timedelta
from decimal import Decimal

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.cast import open_position, open_user, play
from tradewright import audit, ledger
from tradewright.core.errors import ErrorCode, InternalError
from tradewright.core.ids import new_id_text
from tradewright.ledger import HouseCode, Movement, sealing
from tradewright.ledger.journal import Journal
from tradewright.ledger.store import lock_wallets
from tradewright.postgres.connect import Session
from tradewright.trading.swaps import SwapForm, SwapTerms, days_over


@dataclass(frozen=True, slots=True)
class Break:
    """Statements that break one law behind the backs of triggers; `{names}` are the cast's."""

    law: str
    how: str
    statements: tuple[str, ...]


BREAKS = (
    Break(
        "money_sums_to_zero",
        "an entry without a transfer",
        (
            (
                "INSERT INTO balance_ledger (holder_id, version, user_id, currency, transaction_id,"
                " operation, effect, amount, available_before, available_after, reserved_before,"
                " reserved_after) SELECT id, version + 1, user_id, currency, uuidv7(), 'more',"
                " 'credit', 5, balance, balance + 5, 0, 0 FROM accounts"
            ),
            "UPDATE accounts SET balance = balance + 5, version = version + 1",
        ),
    ),
    Break(
        "balance_is_last_entry",
        "a version without an entry",
        ("UPDATE user_balances SET version = version + 1",),
    ),
    Break(
        "balance_is_last_entry",
        "two entries after the balance that cancel each other",
        (
            (
                "INSERT INTO balance_ledger (holder_id, version, user_id, currency, transaction_id,"
                " operation, effect, amount, available_before, available_after, reserved_before,"
                " reserved_after) SELECT id, version + n, user_id, currency, uuidv7(), 'more',"
                " CASE n WHEN 1 THEN 'credit' ELSE 'debit' END, 5, balance + 5 * (n - 1),"
                " balance + 5 * (2 - n), 0, 0 FROM accounts, generate_series(1, 2) AS n"
            ),
        ),
    ),
    Break(
        "balance_is_replay",
        "an entry whose effect is another",
        ("UPDATE balance_ledger SET effect = 'capture' WHERE operation = 'transfer_out'",),
    ),
    Break(
        "versions_are_gapless",
        "a gap in the versions",
        (
            (
                "UPDATE balance_ledger SET version = version + 100"
                " WHERE holder_id = '{wallet_id}' AND version > 2"
            ),
            "UPDATE user_balances SET version = version + 100 WHERE holder_id = '{wallet_id}'",
        ),
    ),
    Break(
        "versions_are_gapless",
        "an entry that does not begin where the one before ended",
        (
            (
                "UPDATE balance_ledger SET available_before = available_before + 0.01,"
                " available_after = available_after + 0.01"
                " WHERE holder_id = '{wallet_id}' AND version = 2"
            ),
        ),
    ),
    Break(
        "versions_are_gapless",
        "an entry older than the one before it",
        (
            (
                "UPDATE balance_ledger SET created_at = created_at - interval '1 hour'"
                " WHERE holder_id = '{wallet_id}' AND version = 2"
            ),
        ),
    ),
    Break(
        "entry_names_its_owner",
        "a wallet that became one of another currency",
        ("UPDATE user_balances SET currency = 'JPY' WHERE holder_id = '{wallet_id}'",),
    ),
    Break(
        "entry_names_its_owner",
        "an entry of an account that names another user",
        (
            (
                "UPDATE balance_ledger SET user_id = '{officer_id}'"
                " WHERE holder_id = '{account_id}' AND version = 2"
            ),
        ),
    ),
    Break(
        "transfer_has_its_entries",
        "two entries of one transfer and none of another",
        (
            (
                "UPDATE balance_ledger SET transfer_id = (SELECT transfer_id FROM balance_ledger"
                " WHERE transaction_id = '{trade_b}' AND operation = 'commission')"
                " WHERE transaction_id = '{trade_a}' AND operation = 'commission'"
            ),
        ),
    ),
    Break(
        "transfer_has_its_entries",
        "an entry of a holder that the transfer does not name",
        (
            "INSERT INTO ledger_holders (kind, currency) VALUES ('wallet', 'USD')",
            (
                "UPDATE transfers SET debit_holder_id = (SELECT max(id::text)::uuid"
                " FROM ledger_holders) WHERE transaction_id = '{trade_a}'"
            ),
        ),
    ),
    Break(
        "reversals_are_within_their_original",
        "a reversal of a smaller movement between others",
        (
            (
                "UPDATE transfers SET reverses_id = (SELECT id FROM transfers WHERE"
                " transaction_id = '{trade_a}') WHERE reverses_id IS NOT NULL"
            ),
        ),
    ),
    Break(
        "wallet_status_is_its_last_change",
        "a freezing that nobody recorded",
        ("UPDATE user_balances SET status = 'frozen'",),
    ),
    Break(
        "exchange_is_in_the_ledger",
        "an exchange that nothing booked",
        (
            (
                "INSERT INTO exchanges (transaction_id, from_holder_id, to_holder_id, from_amount,"
                " to_amount, mid_rate, spread) VALUES (uuidv7(), uuidv7(), '{wallet_id}', 1, 1, 1,"
                " 0)"
            ),
        ),
    ),
    Break(
        "house_balance_is_its_transfers",
        "a roll-up that counted too much",
        (
            "SELECT roll_up_house_balances()",
            "UPDATE house_balances SET received = received + 0.01",
        ),
    ),
    Break(
        "reserved_is_open_holds",
        "money set aside without a hold",
        (
            (
                "INSERT INTO balance_ledger (holder_id, version, user_id, currency, transaction_id,"
                " operation, effect, amount, available_before, available_after, reserved_before,"
                " reserved_after) SELECT holder_id, version + 1, user_id, currency, uuidv7(),"
                " 'reserve', 'reserve', 5, available, available - 5, reserved, reserved + 5"
                " FROM user_balances"
            ),
            (
                "UPDATE user_balances SET available = available - 5, reserved = reserved + 5,"
                " version = version + 1"
            ),
        ),
    ),
    Break(
        "hold_is_its_entries",
        "money moved from one hold to another",
        (
            (
                "UPDATE balance_holds SET remaining = remaining"
                " + CASE id WHEN '{hold_id}' THEN 5 ELSE -5 END WHERE holder_id = '{wallet_id}'"
            ),
        ),
    ),
    Break(
        "payment_is_in_the_ledger",
        "a failed deposit that was credited",
        (
            (
                "UPDATE payment_transactions SET status = 'failed', revision = revision + 1"
                " WHERE id = '{deposit_id}'"
            ),
        ),
    ),
    Break(
        "payment_is_in_the_ledger",
        "a withdrawal paid without its capture",
        (
            (
                "UPDATE payment_transactions SET status = 'succeeded', revision = revision + 1,"
                " completed_at = clock_timestamp() WHERE id = '{withdrawal_id}'"
            ),
        ),
    ),
    Break(
        "payment_is_in_the_ledger",
        "a deposit that succeeded without a credit",
        (
            (
                "INSERT INTO payment_transactions (id, user_id, kind, currency, amount,"
                " counted_rate, counted_amount, status, arrived_at, completed_at) VALUES (uuidv7(),"
                " '{user_id}', 'deposit', 'USD', 7, 1, 7, 'succeeded', clock_timestamp(),"
                " clock_timestamp())"
            ),
        ),
    ),
    Break(
        "claim_is_in_the_ledger",
        "a dispute that was lost and took nothing",
        (
            (
                "UPDATE payment_claims SET status = 'lost', revision = revision + 1,"
                " completed_at = clock_timestamp() WHERE id = '{dispute_id}'"
            ),
        ),
    ),
    Break(
        "receivables_are_the_house_account",
        "a debt that was struck out and not paid",
        ("UPDATE receivables SET remaining = 0",),
    ),
    Break(
        "every_state_is_announced",
        "a state that nobody is told of",
        ("UPDATE outbox_events SET event_type = 'deposit.failed'",),
    ),
    Break(
        "settlement_is_in_the_ledger",
        "a settlement of fees that were not moved",
        ("UPDATE payment_settlements SET fees = fees + 1, net = net - 1",),
    ),
    Break(
        "settlement_is_in_the_ledger",
        "a settlement of more than its lines",
        ("UPDATE provider_statement_lines SET amount = amount - 1",),
    ),
    Break(
        "settlement_is_in_the_ledger",
        "a settlement of another day's lines",
        ("UPDATE payment_settlements SET settled_on = settled_on + 1",),
    ),
    Break(
        "order_is_its_fills",
        "an average price that is not that of the fills",
        ("UPDATE orders SET average_price = average_price + 0.00000001 WHERE id = '{order_a}'",),
    ),
    Break(
        "order_is_its_events",
        "a version without an event",
        ("UPDATE orders SET version = version + 1 WHERE id = '{order_a}'",),
    ),
    Break(
        "order_is_its_events",
        "an event that does not begin where the one before ended",
        (
            (
                "UPDATE order_events SET from_status = 'partially_filled'"
                " WHERE order_id = '{order_a}' AND seq = 2"
            ),
        ),
    ),
    Break(
        "order_is_its_events",
        "a traded quantity that is not the order's",
        ("UPDATE order_events SET quantity = 999 WHERE order_id = '{order_a}' AND seq = 2",),
    ),
    Break(
        "position_is_its_trades",
        "a result that the trades do not have",
        ("UPDATE positions SET realised_pnl = 11",),
    ),
    Break(
        "open_positions_fit_their_mode",
        "a group whose mode was changed while a position is open",
        (
            (
                "UPDATE account_groups SET position_mode = 'fifo', revision = revision + 1"
                " WHERE code = 'hedged'"
            ),
        ),
    ),
    Break(
        "closing_orders_close_their_position",
        "an order that closed another position than it named",
        ("UPDATE closing_orders SET position_id = '{position_id}'",),
    ),
    Break(
        "close_by_is_its_trades",
        "a pairing of more than was closed",
        ("UPDATE close_bys SET quantity = quantity + 1",),
    ),
    Break(
        "amended_levels_stand",
        "a level that nobody has asked for",
        ("UPDATE positions SET stop_loss = 1.06 WHERE id = '{hedged_id}'",),
    ),
    Break(
        "amended_levels_stand",
        "a position that does not know of its amendment",
        ("UPDATE positions SET amended_by = NULL WHERE id = '{hedged_id}'",),
    ),
    Break(
        "amended_levels_stand",
        "a position under the amendment of another account",
        (
            (
                "UPDATE positions SET amended_by = (SELECT id FROM position_amendments)"
                " WHERE id = '{position_id}'"
            ),
        ),
    ),
    Break(
        "opening_rates_are_their_trades",
        "a rate that no trade was made at",
        ("UPDATE opening_rates SET rate = rate + 0.1 WHERE position_id = '{hedged_id}'",),
    ),
    Break(
        "opening_rates_are_their_trades",
        "an open position without its rate",
        ("DELETE FROM opening_rates WHERE position_id = '{hedged_id}'",),
    ),
    Break(
        "opening_rates_are_their_trades",
        "a closing trade that did not keep the rate",
        (
            (
                "UPDATE opening_rates AS r SET rate = rate + 0.1 FROM trades AS t"
                " WHERE (t.position_id, t.position_version) = (r.position_id, r.position_version)"
                " AND t.effect = 'close'"
            ),
        ),
    ),
    Break(
        "rollover_is_in_the_ledger",
        "a rollover that cost more than was booked",
        ("UPDATE position_rollovers SET amount = amount - 1",),
    ),
    Break(
        "rollover_is_in_the_ledger",
        "a swap that was booked without a rollover",
        ("DELETE FROM position_rollovers",),
    ),
    Break(
        "trades_are_their_fill",
        "a position in another symbol",
        (
            (
                "INSERT INTO instruments SELECT (jsonb_populate_record(i, jsonb_build_object("
                "'id', uuidv7(), 'symbol', 'GBPUSD'))).* FROM instruments AS i"
            ),
            "UPDATE positions SET symbol = 'GBPUSD' WHERE id = '{position_id}'",
        ),
    ),
    Break(
        "trades_are_their_fill",
        "a trade at another price than its fill",
        ("UPDATE trades SET price = price * 2 WHERE id = '{trade_a}'",),
    ),
    Break(
        "trade_is_in_the_ledger",
        "a commission that was not booked",
        ("UPDATE trades SET commission = 0.03 WHERE id = '{trade_a}'",),
    ),
    Break(
        "result_is_its_prices",
        "a price that does not make the result",
        (
            "UPDATE order_fills SET price = 1.12 WHERE order_id = '{order_b}'",
            "UPDATE trades SET price = 1.12 WHERE id = '{trade_b}'",
            "UPDATE orders SET average_price = 1.12 WHERE id = '{order_b}'",
            "UPDATE order_events SET price = 1.12 WHERE order_id = '{order_b}' AND seq = 2",
        ),
    ),
    Break(
        "result_is_its_prices",
        "a rate that does not make the result",
        ("UPDATE trades SET conversion_rate = 2 WHERE id = '{trade_b}'",),
    ),
    Break(
        "order_is_dealt_in_its_book",
        "an order of book A that the house dealt",
        ("UPDATE orders SET book = 'A' WHERE id = '{order_a}'",),
    ),
    Break(
        "order_is_dealt_in_its_book",
        "a hybrid order of which the house dealt more than was decided",
        (
            "UPDATE orders SET book = 'hybrid' WHERE id = '{order_a}'",
            (
                "INSERT INTO routing_decisions (id, order_id, reason, a_percent, a_quantity,"
                " b_quantity, inputs, candidates, decided_at) VALUES (uuidv7(), '{order_a}',"
                " 'default', 1, 1, 999, '{{}}', '[]', clock_timestamp())"
            ),
        ),
    ),
    Break(
        "hedge_is_its_fills",
        "a hedge that says it has dealt less",
        (
            (
                "UPDATE hedges SET filled_quantity = 999, status = 'partially_filled',"
                " revision = revision + 1"
                " WHERE side = 'buy'"
            ),
        ),
    ),
    Break(
        "exposure_is_kept",
        "a change that was not appended",
        ("DELETE FROM exposure_changes WHERE seq = (SELECT min(seq) FROM exposure_changes)",),
    ),
    Break(
        "exposure_is_kept",
        "a total that was rewritten",
        ("SELECT roll_up_exposures()", "UPDATE exposure_totals SET net = net + 1"),
    ),
    Break(
        "hedge_fills_follow_each_other",
        "a fill that does not leave what the one before left",
        ("UPDATE hedge_fills SET position_quantity = 1 WHERE seq = 2",),
    ),
    Break(
        "hedge_is_in_the_ledger",
        "a result that was not booked",
        (
            (
                "UPDATE hedge_fills SET realised_pnl = 11, price = position_average_price + 0.011"
                " WHERE seq = 2"
            ),
        ),
    ),
    Break(
        "hedge_is_in_the_ledger",
        "a result that went elsewhere",
        (
            (
                "UPDATE transfers SET debit_holder_id = (SELECT id FROM house_accounts"
                " WHERE code = 'fees' AND currency = 'USD') WHERE operation = 'hedge_pnl'"
            ),
        ),
    ),
    Break(
        "hedge_result_is_its_prices",
        "a fill of a hedge at another price than it left as the average",
        ("UPDATE hedge_fills SET price = price + 0.01 WHERE seq = 1",),
    ),
    Break(
        "hedge_result_is_its_prices",
        "a closing fill of a hedge at another price than its result says",
        ("UPDATE hedge_fills SET price = price + 0.01 WHERE seq = 2",),
    ),
    Break(
        "rollover_days_are_of_the_calendar",
        "a rollover of a Tuesday for three days",
        ("UPDATE position_rollovers SET days = 3",),
    ),
    Break(
        "rollover_days_are_of_the_calendar",
        "a rollover without terms that were known",
        ("UPDATE swap_terms SET created_at = created_at + interval '1 day'",),
    ),
    Break(
        "adjustment_is_in_the_ledger",
        "an adjustment that its prices do not make",
        ("UPDATE trade_adjustments SET price = price - 0.001",),
    ),
    Break(
        "adjustment_is_in_the_ledger",
        "an adjustment that begins at no price of its trade",
        ("UPDATE trade_adjustments SET price_before = price_before + 1, price = price + 1",),
    ),
    Break(
        "adjustment_is_in_the_ledger",
        "money that was given for no trade",
        ("DELETE FROM trade_adjustments",),
    ),
    Break(
        "reversal_is_of_its_trade",
        "a reversal at another price than its trade's",
        ("UPDATE trades SET price = price - 0.01 WHERE effect = 'reverse'",),
    ),
    Break(
        "reversal_is_of_its_trade",
        "a reversal of what was no bust",
        ("UPDATE provider_corrections SET kind = 'correction'",),
    ),
    Break(
        "reversal_is_of_its_trade",
        "a reversal of another execution",
        ("UPDATE provider_corrections SET refers_to = 'E-2' WHERE kind = 'bust'",),
    ),
    Break(
        "reversal_is_in_the_ledger",
        "more commission given back than was booked",
        ("UPDATE trade_reversals SET commission = commission + 0.01",),
    ),
    Break(
        "reversal_is_in_the_ledger",
        "an adjustment taken back that was never made",
        ("UPDATE trade_reversals SET adjustment = -1",),
    ),
    Break(
        "reversal_is_in_the_ledger",
        "commission given back without a reversal",
        (
            (
                "UPDATE balance_ledger SET operation = 'commission_return'"
                " WHERE operation = 'credit' AND amount = 5"
            ),
        ),
    ),
    Break(
        "rollover_is_of_what_was_open",
        "a rollover of more than was open",
        ("UPDATE position_rollovers SET quantity = quantity + 1",),
    ),
    Break(
        "rollover_is_of_what_was_open",
        "a position that was made smaller after a day without its swap",
        (
            "UPDATE swap_terms SET created_at = created_at - interval '1 day'",
            (
                "INSERT INTO trading_days SELECT '2026-01-14', max(executed_at) FROM trades"
                " WHERE effect = 'close'"
            ),
        ),
    ),
    Break(
        "swap_free_days_cost_only_their_fee",
        "a fee of an account that was not swap-free",
        (
            "UPDATE position_rollovers SET operation = 'swap_free_fee'",
            "UPDATE balance_ledger SET operation = 'swap_free_fee' WHERE operation = 'swap'",
            "UPDATE transfers SET operation = 'swap_free_fee' WHERE operation = 'swap'",
        ),
    ),
    *(
        Break(
            "swap_free_days_cost_only_their_fee",
            how,
            (
                (
                    "INSERT INTO past_swap_freedoms SELECT code, '2026-01-13', true"
                    " FROM account_groups"
                ),
                "UPDATE position_rollovers SET operation = 'swap_free_fee'",
                "UPDATE balance_ledger SET operation = 'swap_free_fee' WHERE operation = 'swap'",
                "UPDATE transfers SET operation = 'swap_free_fee' WHERE operation = 'swap'",
                *terms,
            ),
        )
        for how, terms in (
            ("a fee that the terms do not have", ()),
            (
                "a fee for a night that is free",
                ("UPDATE swap_terms SET swap_free_fee = 1, grace_nights = 1",),
            ),
        )
    ),
    Break(
        "swap_free_days_cost_only_their_fee",
        "a rollover that was charged in a group that was free then",
        ("INSERT INTO past_swap_freedoms SELECT code, '2026-01-13', true FROM account_groups",),
    ),
    Break(
        "swap_free_days_cost_only_their_fee",
        "a rollover that was charged to an account that was in a free group then",
        (
            "INSERT INTO account_groups (code, is_swap_free) VALUES ('islamic', true)",
            "INSERT INTO past_account_groups SELECT id, '2026-01-13', 'islamic' FROM accounts",
        ),
    ),
    Break(
        "client_profile_is_its_measures",
        "a trade that was counted and not kept",
        ("UPDATE client_profiles SET trade_count = 2",),
    ),
    Break(
        "client_profile_is_its_measures",
        "a gap in what was measured",
        (
            "UPDATE client_profiles SET arrival_count = 3",
            (
                "INSERT INTO client_measures (user_id, kind, number, order_id, measured_at)"
                " SELECT user_id, 'arrival', n, '{order_a}', now() FROM client_profiles,"
                " unnest(ARRAY[1, 3]) AS n"
            ),
        ),
    ),
    Break(
        "markout_is_its_middle",
        "a markout against another middle",
        ("UPDATE client_measures SET markout_60s_bps = 0.0001",),
    ),
    Break(
        "markout_is_its_middle",
        "a markout of another's fill",
        (
            (
                "INSERT INTO client_profiles (user_id) SELECT id FROM users WHERE id NOT IN"
                " (SELECT user_id FROM client_profiles) LIMIT 1"
            ),
            "UPDATE client_profiles SET trade_count = 1 - trade_count",
            (
                "UPDATE client_measures SET user_id ="
                " (SELECT user_id FROM client_profiles WHERE trade_count = 1)"
            ),
        ),
    ),
    Break(
        "makers_are_post_only",
        "a maker's fill of an order that took",
        ("UPDATE order_fills SET is_maker = true WHERE order_id = '{order_a}'",),
    ),
    Break(
        "makers_are_post_only",
        "a taker's fill of a post-only order",
        (
            (
                "UPDATE orders SET is_post_only = true, order_type = 'limit', limit_price = 1.2,"
                " time_in_force = 'gtc' WHERE id = '{order_a}'"
            ),
        ),
    ),
    Break(
        "retail_clients_are_lent_nothing",
        "a credit of a retail client",
        ("UPDATE accounts SET credit = 5, revision = revision + 1",),
    ),
    Break(
        "rollover_is_in_the_ledger",
        "a swap that is booked as a fee",
        (
            "UPDATE balance_ledger SET operation = 'swap_free_fee' WHERE operation = 'swap'",
            "UPDATE transfers SET operation = 'swap_free_fee' WHERE operation = 'swap'",
        ),
    ),
    Break(
        "references_hold",
        "an order in an instrument that is not listed",
        (
            "UPDATE orders SET symbol = 'GBPUSD'",
            "UPDATE positions SET symbol = 'GBPUSD'",
            "UPDATE exposure_changes SET symbol = 'GBPUSD'",
        ),
    ),
    Break(
        "references_hold",
        "a fill of a provider that is not listed",
        ("UPDATE order_fills SET provider_id = uuidv7() WHERE provider_execution_id IS NULL",),
    ),
    Break(
        "every_change_is_audited",
        "a change without an audit row",
        (
            "ALTER TABLE users DISABLE TRIGGER users_are_audited",
            "UPDATE users SET kyc_level = 3, revision = revision + 1 WHERE id = '{user_id}'",
        ),
    ),
    Break(
        "every_change_is_audited",
        "a row that is gone without an audit row",
        (
            "ALTER TABLE margin_calls DISABLE TRIGGER margin_calls_are_audited",
            "DELETE FROM margin_calls",
        ),
    ),
    Break(
        "seals_verify",
        "an audit row that was edited after it was sealed",
        ("UPDATE audit_log SET actor = 'nobody' WHERE row_id = '{officer_id}'",),
    ),
    Break(
        "seals_verify",
        "a seal whose head was rewritten",
        ("UPDATE audit_seals SET head = sha256(head)",),
    ),
    Break(
        "ledger_seals_verify",
        "an entry that is a microsecond older than it was sealed",
        (
            "SELECT seal_ledger()",
            (
                "UPDATE balance_ledger SET created_at = created_at - interval '1 microsecond'"
                " WHERE version = 1"
            ),
        ),
    ),
    Break(
        "ledger_seals_verify",
        "a transfer under another word than it was sealed",
        (
            "SELECT seal_ledger()",
            "UPDATE transfers SET operation = 'gift' WHERE operation = 'credit'",
        ),
    ),
    Break(
        "ledger_seals_verify",
        "a seal whose head was rewritten",
        ("SELECT seal_ledger()", "UPDATE ledger_seals SET head = sha256(head)"),
    ),
    Break(
        "ledger_seals_verify",
        "a segment without its seal",
        ("SELECT seal_ledger()", "DELETE FROM ledger_seals"),
    ),
    Break(
        "record_seals_verify",
        "an event that another actor caused than was sealed",
        ("SELECT seal_records()", "UPDATE order_events SET actor = 'nobody' WHERE seq = 1"),
    ),
    Break(
        "record_seals_verify",
        "a trade that is a microsecond older than it was sealed",
        (
            "SELECT seal_records()",
            "UPDATE trades SET executed_at = executed_at - interval '1 microsecond'",
        ),
    ),
    Break(
        "record_seals_verify",
        "a segment without its seal",
        ("SELECT seal_records()", "DELETE FROM record_seals"),
    ),
)

BROKEN_BY_BOOKING = {
    "commission_is_of_a_trade",
    "house_movement_has_its_cause",
    "exposure_is_its_fills",
    "realised_pnl_is_the_ledger",
    "wallets_are_not_negative",
    "forgiven_when_nothing_is_open",
}
"""Laws that are broken through the ledger's own code in the tests below."""


def broken_laws(session: Session) -> set[str]:
    return {name for name, result in audit.check_laws(session).items() if result.broken}


def forgive(session: Session, account_id: str) -> None:
    """Give an account 3 USD as the house does for one that has ended below zero."""
    booked = Movement(
        transaction_id=new_id_text(),
        operation="nbp_adjustment",
        debit_id=ledger.house_holder_ids(session, "USD")[HouseCode.NEGATIVE_BALANCE],
        credit_id=account_id,
        currency="USD",
        amount=Decimal(3),
    )
    with session.transaction():
        assert ledger.post_movements(session, [booked])[0].error is None


def test_all_laws_are_silent_on_good_rows_and_each_was_held_against_some(engine: Session) -> None:
    cast = play(engine)
    asked = ledger.Exchange(
        from_currency="USD",
        to_currency="EUR",
        amount=Decimal(2),
        mid_rate=Decimal("0.9"),
        spread=Decimal(0),
    )
    ledger.exchange(engine, cast.user_id, asked, transaction_id=new_id_text())
    forgive(engine, cast.account_id)
    open_position(engine, cast.account_id)
    ledger.roll_up_house_balances(engine)
    sealing.seal(engine)
    audit.seal_records(engine)
    results = audit.check_laws(engine)
    assert [name for name, result in results.items() if result.broken] == []
    assert [name for name, result in results.items() if result.checked == 0] == []


@pytest.mark.parametrize("case", BREAKS, ids=lambda case: f"{case.law}: {case.how}")
def test_a_broken_law_tells_and_no_other_does(engine: Session, case: Break) -> None:
    cast = play(engine)
    names = asdict(cast) | {
        "order_a": cast.order_ids[0],
        "order_b": cast.order_ids[1],
        "trade_a": cast.trade_ids[0],
        "trade_b": cast.trade_ids[1],
    }
    engine.execute("SET session_replication_role = replica")
    for statement in case.statements:
        engine.execute(statement.format(**names).encode())
    assert broken_laws(engine) == {case.law}


def test_an_open_position_that_is_called_closed_is_told_by_the_exposure(engine: Session) -> None:
    cast = play(engine)
    open_position(engine, cast.account_id)
    engine.execute("SET session_replication_role = replica")
    engine.execute("ALTER TABLE positions DROP CONSTRAINT positions_open_iff_quantity")
    engine.execute("UPDATE positions SET is_open = false, closed_at = opened_at WHERE is_open")
    assert broken_laws(engine) == {"exposure_is_its_fills", "exposure_is_kept"}


def test_an_entry_of_a_holder_without_balance_is_told(engine: Session) -> None:
    play(engine)
    engine.execute("SET session_replication_role = replica")
    engine.execute("UPDATE balance_ledger SET holder_id = uuidv7() WHERE operation = 'credit'")
    assert {"balance_is_last_entry", "balance_is_replay"} <= broken_laws(engine)


def test_a_result_booked_without_a_trade_breaks_only_its_law(engine: Session) -> None:
    cast = play(engine)
    dealing = ledger.house_holder_ids(engine, "USD")[HouseCode.DEALING]
    booked = Movement(
        transaction_id=new_id_text(),
        operation="realised_pnl",
        debit_id=dealing,
        credit_id=cast.account_id,
        currency="USD",
        amount=Decimal(3),
    )
    with engine.transaction():
        ledger.post_movements(engine, [booked])
    assert broken_laws(engine) == {"realised_pnl_is_the_ledger"}


def test_a_commission_without_a_trade_breaks_only_its_law(engine: Session) -> None:
    cast = play(engine)
    fees = ledger.house_holder_ids(engine, "USD")[HouseCode.FEES]
    booked = Movement(
        transaction_id=new_id_text(),
        operation="commission",
        debit_id=cast.account_id,
        credit_id=fees,
        currency="USD",
        amount=Decimal(3),
    )
    with engine.transaction():
        ledger.post_movements(engine, [booked])
    assert broken_laws(engine) == {"commission_is_of_a_trade"}


def test_what_is_forgiven_beside_an_open_position_breaks_only_its_law(engine: Session) -> None:
    cast = play(engine)
    open_position(engine, cast.account_id)
    forgive(engine, cast.account_id)
    assert broken_laws(engine) == {"forgiven_when_nothing_is_open"}


def test_a_record_whose_state_stays_is_told(engine: Session) -> None:
    """No guard refuses it: the state comes with a later statement, or not at all.

    An entry without its balance is let through only to who says that the balance comes next.
    """
    play(engine)
    engine.execute("SET tradewright.writes_batches = on")
    engine.execute(
        "WITH moved AS (INSERT INTO transfers (id, transaction_id, operation, debit_holder_id,"
        " credit_holder_id, currency, amount) SELECT uuidv7(), uuidv7(), 'fee', w.holder_id, h.id,"
        " 'USD', 1 FROM user_balances AS w, house_accounts AS h WHERE h.code = 'clearing'"
        " RETURNING *)"
        " INSERT INTO balance_ledger (holder_id, version, user_id, currency, transaction_id,"
        " operation, effect, amount, available_before, available_after, reserved_before,"
        " reserved_after, transfer_id) SELECT holder_id, version + 1, user_id, 'USD',"
        " m.transaction_id, 'fee', 'debit', 1, available, available - 1, reserved, reserved, m.id"
        " FROM moved AS m JOIN user_balances AS w ON w.holder_id = m.debit_holder_id"
    )
    assert broken_laws(engine) == {
        *("balance_is_last_entry", "balance_is_replay", "money_sums_to_zero"),
    }
    engine.execute(
        "INSERT INTO wallet_status_changes (holder_id, seq, transaction_id, from_status, to_status,"
        " reason) SELECT holder_id, 1, uuidv7(), 'active', 'frozen', 'x' FROM user_balances"
    )
    assert "wallet_status_is_its_last_change" in broken_laws(engine)


@pytest.mark.parametrize("operation", ["hedge_pnl", "settlement", "gift"])
def test_a_movement_inside_the_house_without_a_cause_is_told(
    engine: Session, operation: str
) -> None:
    play(engine)
    houses = ledger.house_holder_ids(engine, "USD")
    engine.execute(
        "INSERT INTO transfers (id, transaction_id, operation, debit_holder_id, credit_holder_id,"
        " currency, amount) VALUES (uuidv7(), uuidv7(), %s, %s, %s, 'USD', 3)",
        (operation, houses[HouseCode.FEES], houses[HouseCode.SWAPS]),
    )
    assert broken_laws(engine) == {"house_movement_has_its_cause"}


@pytest.mark.parametrize("settlement_days", [0, 1, 2])
@given(on=st.dates(date(2024, 1, 1), date(2027, 12, 31)), holidays=st.sets(st.integers(0, 12)))
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_law_counts_days_as_the_engine_does(
    engine: Session, settlement_days: int, on: date, holidays: set[int]
) -> None:
    terms = SwapTerms(
        symbol="EURUSD",
        effective_on=on,
        form=SwapForm.POINTS,
        long_rate=Decimal(0),
        short_rate=Decimal(0),
        currency="USD",
        settlement_days=settlement_days,
    )
    days = [on + timedelta(days=number) for number in holidays]
    row = engine.execute(
        "SELECT rollover_days(%s, %s, %s::date[])", (on, settlement_days, days)
    ).fetchone()
    assert row == (days_over(on, terms, frozenset(days)),)


def test_a_wallet_below_zero_breaks_only_its_law(engine: Session) -> None:
    cast = play(engine)
    clearing = ledger.house_holder_ids(engine, "USD")[HouseCode.CLEARING]
    engine.execute("ALTER DOMAIN available_money DROP CONSTRAINT available_money_not_negative")
    with engine.transaction():
        wallet = lock_wallets(engine, [cast.wallet_id])[cast.wallet_id]
        journal = Journal()
        journal.give(
            wallet, Decimal(9999), transaction_id=new_id_text(), operation="debit", sink=clearing
        )
        journal.write(engine)
    assert broken_laws(engine) == {"wallets_are_not_negative"}


def test_every_law_is_broken_by_some_test(engine: Session) -> None:
    assert set(audit.check_laws(engine)) == {case.law for case in BREAKS} | BROKEN_BY_BOOKING


def test_examples_are_rows_and_no_more_than_asked_for(engine: Session) -> None:
    for _ in range(3):
        open_user(engine)
    engine.execute("ALTER TABLE users DISABLE TRIGGER users_are_audited")
    engine.execute("UPDATE users SET kyc_level = 3")
    result = audit.check_laws(engine, examples_max=2)["every_change_is_audited"]
    assert (result.checked, result.broken, len(result.examples)) == (
        5,
        3,
        2,
    )  # and a group, and the retention
    assert result.examples[0]["revision"] == 2
    assert set(result.examples[0]) == {"table_name", "row_id", "revision", "audit_rows"}


@pytest.mark.parametrize(
    "statement",
    ["CREATE VIEW law_of_silence AS SELECT 1 AS one WHERE false", "DROP VIEW law_seals_verify"],
)
def test_a_law_that_is_listed_or_seen_alone_is_an_error(engine: Session, statement: str) -> None:
    engine.execute(statement.encode())
    with pytest.raises(InternalError) as caught:
        audit.check_laws(engine)
    assert caught.value.code == ErrorCode.INTERNAL_LAWS_DIFFER


def test_broken_laws_stop_the_caller_with_an_example_of_each(engine: Session) -> None:
    play(engine)
    audit.require_laws(audit.check_laws(engine))
    engine.execute("SET session_replication_role = replica")
    engine.execute("UPDATE positions SET realised_pnl = 11")
    with pytest.raises(InternalError) as caught:
        audit.require_laws(audit.check_laws(engine))
    count = len(audit.check_laws(engine))
    assert caught.value.what == f"1 of {count} laws are broken: position_is_its_trades"
    assert set(caught.value.facts) == {"position_is_its_trades"}


def test_every_audited_table_is_under_the_law_of_audit(engine: Session) -> None:
    with_triggers = engine.execute(
        "SELECT DISTINCT c.relname FROM pg_trigger AS t JOIN pg_class AS c ON c.oid = t.tgrelid"
        " JOIN pg_proc AS p ON p.oid = t.tgfoid WHERE p.proname = 'audit_row_change'"
    ).fetchall()
    definition = engine.execute("SELECT pg_get_viewdef('audited_rows'::regclass)").fetchone()
    assert definition is not None
    assert [row[0] for row in with_triggers if f"FROM {row[0]}" not in definition[0]] == []


def test_audit_triggers_stay_on_for_a_session_that_plays_replica(engine: Session) -> None:
    user_id = open_user(engine)
    engine.execute("SET session_replication_role = replica")
    engine.execute("UPDATE users SET kyc_level = 4 WHERE id = %s", (user_id,))
    changes = engine.execute(
        "SELECT changes -> 'kyc_level' FROM audit_log WHERE row_id = %s AND action = 'update'",
        (user_id,),
    ).fetchall()
    assert changes == [([2, 4],)]


def test_laws_see_one_snapshot_while_another_session_writes(
    engine: Session, engine_database: str
) -> None:
    user_id = open_user(engine)
    with psycopg.connect(engine_database) as writer:
        writer.execute("SET search_path TO tradewright")
        ledger.credit(writer, user_id, "USD", Decimal(5), transaction_id=new_id_text())
        assert broken_laws(engine) == set()
        writer.commit()
    assert broken_laws(engine) == set()
