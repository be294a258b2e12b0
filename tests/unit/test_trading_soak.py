"""The soak's own arithmetic of trading: seeds replay, and a row that was altered is named."""

from dataclasses import replace
from itertools import islice, pairwise
from typing import Any

import pytest

from tests.trading_record import HEDGES, LATE_SWAPS, MONEY, RECORD, REPLACED, REVERSED, SWAPS, d
from tradewright.liquidity.model import Side
from tradewright.soak.trading.asking import Outcome
from tradewright.soak.trading.commands import CommandStream, Kind
from tradewright.soak.trading.market import quotes
from tradewright.soak.trading.office import Ruling, Told, words
from tradewright.soak.trading.promises import Findings, Keeper, hold_executions, hold_rulings
from tradewright.soak.trading.replay import (
    Difference,
    Record,
    replay_balances,
    replay_hedges,
    replay_orders,
    replay_positions,
    replay_rollovers,
)
from tradewright.soak.trading.replay.record import Adjustment, Entry, SetAside
from tradewright.soak.trading.venue import Dealt
from tradewright.trading.corrections import Settlement
from tradewright.trading.model import (
    CancelOrder,
    Direction,
    MoneyReport,
    MoveMoney,
    OrderReport,
    OrderStatus,
    OrderType,
    SubmitOrder,
    TimeInForce,
)


def found(record: Record) -> list[Difference]:
    """Return the differences of orders and positions."""
    return [*replay_orders(record), *replay_positions(record)]


def test_a_record_that_follows_the_rules_replays_to_the_same_rows() -> None:
    assert found(RECORD) == []
    assert list(replay_balances(MONEY)) == []


def altered(record: Record, table: str, place: int, field: str) -> Record:
    """Return the record with one figure of one row changed."""
    rows = list(getattr(record, table))
    before = getattr(rows[place], field)
    after = (before or d(0)) + 1 if before is None or not isinstance(before, str) else before + "x"
    if isinstance(before, bool):
        after = not before
    rows[place] = rows[place]._replace(**{field: after})
    return replace(record, **{table: rows})


@pytest.mark.parametrize("place", range(8))
@pytest.mark.parametrize(
    "field", ["filled_quantity", "remaining_quantity", "average_price", "version", "status"]
)
def test_an_altered_order_is_named_with_its_field(place: int, field: str) -> None:
    differences = found(altered(RECORD, "orders", place, field))
    assert [(one.row, one.id, one.field) for one in differences] == [
        ("order", RECORD.orders[place].id, field)
    ]


@pytest.mark.parametrize("place", range(6))
@pytest.mark.parametrize(
    "field", ["quantity", "average_price", "realised_pnl", "is_open", "version"]
)
def test_an_altered_position_is_named_with_its_field(place: int, field: str) -> None:
    differences = found(altered(RECORD, "positions", place, field))
    assert [(one.row, one.id, one.field) for one in differences] == [
        ("position", RECORD.positions[place].id, field)
    ]


@pytest.mark.parametrize("place", range(13))
@pytest.mark.parametrize(
    "field",
    [
        *("quantity", "price", "realised_pnl", "effect", "position_quantity"),
        *("position_average_price", "position_realised_pnl"),
    ],
)
def test_an_altered_trade_is_named_with_its_field(place: int, field: str) -> None:
    differences = found(altered(RECORD, "trades", place, field))
    assert [(one.row, one.id, one.field) for one in differences] == [
        ("trade", RECORD.trades[place].id, field)
    ]


@pytest.mark.parametrize("place", range(9))
@pytest.mark.parametrize("field", ["quantity", "price"])
def test_an_altered_fill_contradicts_its_order_and_its_trades(place: int, field: str) -> None:
    rows = {one.row for one in found(altered(RECORD, "fills", place, field))}
    assert {"order", "trade"} <= rows


@pytest.mark.parametrize("place", range(9))
def test_a_fill_that_is_said_to_be_a_makers_is_named(place: int) -> None:
    differences = found(altered(RECORD, "fills", place, "is_maker"))
    fill_id = RECORD.fills[place].id
    assert [(one.row, one.id, one.field) for one in differences] == [("fill", fill_id, "is_maker")]


def test_a_post_only_order_without_makers_fills_is_found() -> None:
    rows = {one.row for one in found(altered(RECORD, "orders", 0, "is_post_only"))}
    assert rows == {"fill"}


@pytest.mark.parametrize("table", ["events", "fills", "trades", "positions", "close_bys"])
def test_a_row_that_is_missing_is_found(table: str) -> None:
    for place in range(len(getattr(RECORD, table))):
        rows = list(getattr(RECORD, table))
        del rows[place]
        assert found(replace(RECORD, **{table: rows}))


@pytest.mark.parametrize("place", range(5))
@pytest.mark.parametrize("field", ["amount", "available_after", "reserved_after", "version"])
def test_an_altered_entry_is_found(place: int, field: str) -> None:
    assert list(replay_balances(altered(MONEY, "entries", place, field)))


@pytest.mark.parametrize("place", range(2))
@pytest.mark.parametrize("field", ["available", "reserved"])
def test_an_altered_balance_is_named(place: int, field: str) -> None:
    differences = list(replay_balances(altered(MONEY, "balances", place, field)))
    assert {(one.row, one.id) for one in differences} == {
        ("balance", MONEY.balances[place].holder_id)
    }


@pytest.mark.parametrize("place", range(4))
def test_an_altered_transfer_contradicts_the_balances(place: int) -> None:
    assert list(replay_balances(altered(MONEY, "transfers", place, "amount")))


@pytest.mark.parametrize("field", ["realised_pnl", "commission"])
def test_a_trade_that_the_ledger_books_otherwise_is_named(field: str) -> None:
    differences = list(replay_balances(altered(MONEY, "trades", 0, field)))
    assert [one.field for one in differences] == [f"{field} in the ledger"]


def found_of_reversals(record: Record) -> set[tuple[str, str]]:
    """Return (row, field) of each difference; balances without their transfers are none."""
    replays = [*found(record), *replay_rollovers(record), *replay_balances(record)]
    return {(one.row, one.field) for one in replays}


def test_what_is_taken_back_of_a_busted_fill_replays() -> None:
    assert found_of_reversals(REVERSED) == set()


@pytest.mark.parametrize(
    ("table", "place", "field", "named"),
    [
        ("trades", 3, "price", ("trade", "position_average_price")),
        ("trades", 3, "realised_pnl", ("trade", "realised_pnl")),
        ("trades", 3, "position_average_price", ("trade", "position_average_price")),
        ("reversals", 0, "commission", ("reversal", "commission")),
        ("reversals", 0, "adjustment", ("reversal", "adjustment_return in the ledger")),
        ("reversals", 0, "adjustment", ("reversal", "adjustment")),
        ("adjustments", 0, "amount", ("adjustment", "amount")),
        ("adjustments", 0, "amount", ("adjustment", "price_adjustment in the ledger")),
        ("adjustments", 0, "price_before", ("adjustment", "price_before")),
        ("adjustments", 0, "price", ("adjustment", "amount")),
        ("entries", 5, "transaction_id", ("entry", "adjustment")),
        ("rollovers", 1, "amount", ("rollover", "amount")),
        ("rollovers", 1, "quantity", ("rollover", "quantity")),
        ("entries", 6, "amount", ("reversal", "commission_return in the ledger")),
        ("entries", 6, "operation", ("reversal", "commission_return in the ledger")),
        ("entries", 7, "transaction_id", ("entry", "reversal")),
    ],
)
def test_a_reversal_that_was_altered_is_named(
    table: str, place: int, field: str, named: tuple[str, str]
) -> None:
    assert named in found_of_reversals(altered(REVERSED, table, place, field))


def test_no_more_is_taken_back_than_is_open_of_a_trade() -> None:
    taken = REVERSED.trades[3]._replace(quantity=d(-1001), position_quantity=d(999))
    record = replace(REVERSED, trades=[*REVERSED.trades[:3], taken])
    assert ("trade", "quantity") in found_of_reversals(record)
    for reversals in ([], [REVERSED.reversals[0]._replace(trade_id="t3")]):
        record = replace(REVERSED, reversals=reversals)
        assert ("trade", "reverses") in found_of_reversals(record)


def test_a_second_correction_begins_at_the_price_of_the_first() -> None:
    second = Adjustment("tb", "t1", d("1.097"), d("1.098"), d(-2))
    paid = [Entry("n", 10, "tb", "price_adjustment", "debit", d(2), d("200.88"), d(0))]
    record = replace(
        REVERSED,
        adjustments=[*REVERSED.adjustments, second],
        entries=[*REVERSED.entries, *paid],
        reversals=[],
        trades=REVERSED.trades[:3],
    )
    named = {(one.row, one.field) for one in replay_balances(record)}
    assert not {field for row, field in named if row == "adjustment"}
    at_own_price = [*REVERSED.adjustments, second._replace(price_before=d("1.1"))]
    differing = replay_balances(replace(record, adjustments=at_own_price))
    assert {one.field for one in differing if one.row == "adjustment"} == {"price_before"}


RULINGS = [
    Ruling(Told.BUST, "B-1", "done", settlement=Settlement.REVERSED),
    Ruling(Told.CORRECTION, "G-1", "done", settlement=Settlement.ADJUSTED),
    Ruling(Told.BUST, "B-2"),
]


def ruled(record: Record, rulings: list[Ruling]) -> Findings:
    findings = Findings()
    hold_rulings(record, rulings, findings)
    return findings


def test_what_people_were_told_is_settled_is_settled_so() -> None:
    assert ruled(REVERSED, RULINGS).is_sound


def test_a_settlement_that_is_not_there_is_lost_and_one_that_nobody_made_is_foreign() -> None:
    assert ruled(replace(REVERSED, settlements=REVERSED.settlements[:1]), RULINGS).lost == 1
    assert ruled(REVERSED, RULINGS[:1]).foreign == 1


@pytest.mark.parametrize(
    "altered_to", [{"settlement": "kept"}, {"reversals": 0}, {"reversals": 2}, {"adjustments": 1}]
)
def test_a_settlement_that_moved_something_else_is_misreported(altered_to: dict[str, Any]) -> None:
    settlements = [REVERSED.settlements[0]._replace(**altered_to), REVERSED.settlements[1]]
    assert ruled(replace(REVERSED, settlements=settlements), RULINGS).misreported == 1


def test_the_same_seed_draws_the_same_words_of_providers() -> None:
    assert list(islice(words(7), 50)) == list(islice(words(7), 50))
    assert list(islice(words(7), 50)) != list(islice(words(8), 50))
    assert {word.kind for word in islice(words(7), 50)} == set(Told)


def test_a_replaced_order_is_filled_at_its_new_quantity() -> None:
    assert list(replay_orders(REPLACED)) == []


@pytest.mark.parametrize(
    ("table", "place", "field", "named"),
    [
        ("replacements", 0, "quantity", ("replacement", "key9", "quantity")),
        ("orders", 0, "quantity", ("order", "o1", "quantity")),
        ("events", 2, "new_quantity", ("order", "o1", "quantity")),
        ("events", 3, "quantity", ("order", "o1", "filled_quantity")),
    ],
)
def test_an_altered_replacement_is_named(
    table: str, place: int, field: str, named: tuple[str, str, str]
) -> None:
    differences = list(replay_orders(altered(REPLACED, table, place, field)))
    assert named in [(one.row, one.id, one.field) for one in differences]


def test_a_replacement_that_no_row_or_no_event_has_is_found() -> None:
    assert list(replay_orders(replace(REPLACED, replacements=[])))
    assert list(replay_orders(replace(REPLACED, events=REPLACED.events[:2])))


@pytest.mark.parametrize("place", range(3))
@pytest.mark.parametrize(
    "field", ["seq", "realised_pnl", "position_quantity", "position_average_price"]
)
def test_an_altered_fill_of_a_hedge_is_named_with_its_field(place: int, field: str) -> None:
    differences = list(replay_hedges(altered(HEDGES, "hedge_fills", place, field)))
    row = HEDGES.hedge_fills[place]
    assert [(one.id, one.field) for one in differences] == [(row.id, field)]


@pytest.mark.parametrize("place", range(2))
@pytest.mark.parametrize("field", ["filled_quantity", "status"])
def test_an_altered_hedge_is_named_with_its_field(place: int, field: str) -> None:
    differences = list(replay_hedges(altered(HEDGES, "hedges", place, field)))
    row = HEDGES.hedges[place]
    assert [(one.id, one.field) for one in differences] == [(row.id, field)]


@pytest.mark.parametrize("table", ["hedges", "hedge_fills", "transfers"])
def test_a_row_of_hedges_that_is_missing_is_found(table: str) -> None:
    assert list(replay_hedges(HEDGES)) == []
    for place in range(len(getattr(HEDGES, table))):
        rows = list(getattr(HEDGES, table))
        del rows[place]
        assert list(replay_hedges(replace(HEDGES, **{table: rows})))


@pytest.mark.parametrize("place", range(2))
@pytest.mark.parametrize("field", ["quantity", "amount", "days"])
def test_an_altered_rollover_is_named(place: int, field: str) -> None:
    assert list(replay_rollovers(SWAPS)) == []
    differences = list(replay_rollovers(altered(SWAPS, "rollovers", place, field)))
    assert {(one.row, one.id) for one in differences} == {("rollover", SWAPS.rollovers[place].id)}


@pytest.mark.parametrize("field", ["quantity", "amount", "days", "trade_id"])
def test_an_altered_rollover_of_a_late_deal_is_named(field: str) -> None:
    assert list(replay_rollovers(LATE_SWAPS)) == []
    differences = list(replay_rollovers(altered(LATE_SWAPS, "rollovers", 1, field)))
    assert {(one.row, one.id) for one in differences} == {("rollover", "tv")}


def fees(*amounts: str) -> Record:
    """Return the late swaps as fees of 12.50 for a lot and day."""
    terms: dict[str, Any] = {"operation": "swap_free_fee", "fee": d("12.5"), "lot": d(100_000)}
    pairs = list(zip(LATE_SWAPS.rollovers, LATE_SWAPS.entries, amounts, strict=True))
    return replace(
        LATE_SWAPS,
        rollovers=[row._replace(amount=d(amount), **terms) for row, _, amount in pairs],
        entries=[
            entry._replace(operation="swap_free_fee", amount=abs(d(amount)))
            for _, entry, amount in pairs
        ],
    )


@pytest.mark.parametrize("field", ["quantity", "amount", "days", "fee", "operation"])
def test_an_altered_fee_is_named(field: str) -> None:
    """2,000 pay 0.25; that they became 1,000 of the other side gives 0.125 back."""
    record = fees("-0.25", "0.12")
    assert list(replay_rollovers(record)) == []
    differences = list(replay_rollovers(altered(record, "rollovers", 1, field)))
    assert ("rollover", "tv") in {(one.row, one.id) for one in differences}


def test_a_fee_for_a_free_night_is_found() -> None:
    record = altered(fees("-0.25", "0.12"), "rollovers", 0, "in_grace")
    assert [(one.id, one.field) for one in replay_rollovers(record)] == [("t5", "amount")]


@pytest.mark.parametrize("table", ["rollovers", "entries", "trades"])
def test_a_swap_without_its_row_its_entry_or_its_position_is_found(table: str) -> None:
    assert list(replay_rollovers(replace(SWAPS, **{table: getattr(SWAPS, table)[1:]})))


SUBMIT = SubmitOrder(
    account_id="n", client_order_id="key1", symbol="EURUSD", side=Side.BUY, quantity=d(2000)
)
FILLED = OrderReport("o1", "key1", OrderStatus.FILLED, d(2000), d("1.1"))
OTHERS = frozenset({"m"})


def kept(*outcomes: Outcome, record: Record = RECORD) -> Findings:
    """Hold outcomes against the first order alone."""
    alone = replace(record, orders=record.orders[:1], close_bys=[])
    findings = Findings()
    keeper = Keeper(alone, findings, OTHERS)
    for outcome in outcomes:
        keeper.hold(outcome)
    keeper.finish()
    return findings


def test_what_clients_were_told_is_there() -> None:
    first = Outcome(0, "done", sent=SUBMIT, report=FILLED)
    cancel = CancelOrder(account_id="n", client_order_id="key1")
    late = Outcome(1, "refused", "ORDER_ENDED", sent=cancel)
    assert kept(first, late).is_sound


def test_an_acknowledged_order_that_is_not_there_is_lost() -> None:
    other = Outcome(1, "done", sent=SubmitOrder(**{**fields(SUBMIT), "client_order_id": "gone"}))
    other.report = FILLED
    assert kept(Outcome(0, "done", sent=SUBMIT, report=FILLED), other).lost == 1


def fields(command: SubmitOrder) -> dict[str, Any]:
    return {name: getattr(command, name) for name in command.__struct_fields__}


def test_an_order_that_nobody_was_told_of_is_foreign() -> None:
    assert kept().foreign == 1


def test_a_state_through_which_the_order_never_went_is_misreported() -> None:
    report = OrderReport("o1", "key1", OrderStatus.FILLED, d(2000), d("1.2"))
    assert kept(Outcome(0, "done", sent=SUBMIT, report=report)).misreported == 1


def test_an_order_that_was_refused_and_is_there_is_misreported() -> None:
    found = kept(Outcome(0, "refused", "ORDER_QUANTITY_OFF_STEP", sent=SUBMIT))
    assert (found.misreported, found.foreign) == (1, 1)


def test_money_that_was_told_to_have_moved_is_in_the_journal() -> None:
    move = MoveMoney(
        account_id="n", direction=Direction.TO_ACCOUNT, amount=d(40), transaction_id="m"
    )
    told = Outcome(0, "done", sent=move, report=MoneyReport("n", d(40)))
    wrong = Outcome(0, "done", sent=move, report=MoneyReport("n", d(41)))
    gone = Outcome(0, "done", sent=move, report=MoneyReport("n", d(40)))
    record = replace(RECORD, entries=MONEY.entries)
    order_told = Outcome(0, "done", sent=SUBMIT, report=FILLED)
    assert kept(order_told, told, record=record).is_sound
    assert kept(order_told, wrong, record=record).misreported == 1
    assert kept(order_told, gone).lost == 1


@pytest.mark.parametrize(
    ("dealt", "aside", "counts"),
    [
        (2000, 0, (0, 0, 0)),
        (2500, 500, (0, 0, 0)),
        (2500, 0, (1, 0, 0)),
        (1500, 0, (0, 1, 0)),
        (None, 0, (0, 0, 1)),
    ],
)
def test_what_providers_dealt_is_booked_or_set_aside(
    dealt: int | None, aside: int, counts: tuple[int, int, int]
) -> None:
    set_aside = [SetAside("LP", "X-3", d(aside), "more_than_asked")] if aside else []
    findings = Findings()
    executions = [] if dealt is None else [Dealt("LP", "X-3", d(dealt))]
    hold_executions(replace(RECORD, set_aside=set_aside), executions, findings)
    assert (findings.lost, findings.duplicated, findings.foreign) == counts


def test_the_same_seed_draws_the_same_commands_and_another_draws_others() -> None:
    def drawn(seed: int, session: int) -> list[object]:
        return list(islice(CommandStream(seed, session, 9), 300))

    assert drawn(3, 1) == drawn(3, 1)
    assert drawn(3, 1) != drawn(3, 2)
    assert drawn(3, 1) != drawn(4, 1)


def test_a_stream_draws_every_kind_of_command_order_and_time_in_force() -> None:
    commands = list(islice(CommandStream(1, 0, 9), 2_000))
    assert {command.kind for command in commands} == set(Kind)
    assert {command.wish.order_type for command in commands} == set(OrderType)
    assert {command.wish.time_in_force for command in commands} == set(TimeInForce)
    assert all(one.target is None or one.target < one.number for one in commands)


def test_the_market_is_the_same_for_the_same_seed_and_never_crossed() -> None:
    first, again, other = (list(islice(quotes(seed), 3_000)) for seed in (5, 5, 6))
    assert first == again != other
    assert all(0 < quote.bid < quote.ask for quote in first)
    assert all(before.quoted_at < after.quoted_at for before, after in pairwise(first))
