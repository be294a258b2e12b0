"""The soak's own arithmetic of trading: seeds replay, and a row that was altered is named."""

from dataclasses import replace
from decimal import Decimal
from itertools import islice, pairwise
from typing import Any

import pytest

from tradewright.liquidity.model import Side
from tradewright.soak.trading.asking import Outcome
from tradewright.soak.trading.commands import CommandStream, Kind
from tradewright.soak.trading.market import quotes
from tradewright.soak.trading.promises import Findings, Keeper, hold_executions
from tradewright.soak.trading.replay import (
    Difference,
    Record,
    replay_balances,
    replay_orders,
    replay_positions,
)
from tradewright.soak.trading.replay.record import (
    Account,
    Balance,
    CloseBy,
    Entry,
    Event,
    Fill,
    Order,
    Position,
    SetAside,
    Trade,
    Transfer,
)
from tradewright.soak.trading.venue import Dealt
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


def d(text: str | int) -> Decimal:
    return Decimal(text)


def order(number: int, account: str, side: str, quantity: int, price: str, **changes: Any) -> Order:
    filled = Order(
        *(f"o{number}", account, f"key{number}", "EURUSD", side, "client", d(quantity)),
        *(d(quantity), d(0), d(price), "filled", False, 2, None),
    )
    return filled._replace(**changes)


def events(number: int, quantity: int, price: str) -> list[Event]:
    return [
        Event(f"o{number}", 1, "new", None, "new", None, None),
        Event(f"o{number}", 2, "trade", "new", "filled", d(quantity), d(price)),
    ]


def trade(
    row_id: str,
    cause: tuple[str, str | None, str | None],
    position: tuple[str, int],
    did: tuple[str, int, str],
    result: tuple[str, int, str, str],
) -> Trade:
    """Return a trade of a cause (account, fill, pairing), with its result and what is left."""
    effect, quantity, price = did
    pnl, held, average, realised = result
    account, *causes = cause
    return Trade(
        *(row_id, account, *causes, *position, effect, d(quantity), d(price), d("1")),
        *(d(pnl), d("0.02"), d(held), d(average), d(realised)),
    )


# n nets: it buys 2,000 and sells 3,000, so one position closes and another opens. h hedges: two
# positions, of which one closes the other in part. f is first in, first out: 1,000 and 2,000 are
# bought and 2,000 sold. One order of n ends canceled with half of it dealt, in two fills.
RECORD = Record(
    accounts=[
        Account("n", "USD", 2, "netting"),
        Account("h", "USD", 2, "hedging"),
        Account("f", "USD", 2, "fifo"),
    ],
    orders=[
        order(1, "n", "buy", 2000, "1.1"),
        order(2, "n", "sell", 3000, "1.105"),
        order(3, "h", "buy", 2000, "1.1"),
        order(4, "h", "sell", 1000, "1.09"),
        order(5, "f", "buy", 1000, "1.1"),
        order(6, "f", "buy", 2000, "1.2"),
        order(7, "f", "sell", 2000, "1.3"),
        order(8, "n", "sell", 4000, "1.10333333", status="canceled", version=4)._replace(
            filled_quantity=d(3000)
        ),
    ],
    events=[
        *(*events(1, 2000, "1.1"), *events(2, 3000, "1.105"), *events(3, 2000, "1.1")),
        *(*events(4, 1000, "1.09"), *events(5, 1000, "1.1"), *events(6, 2000, "1.2")),
        *events(7, 2000, "1.3"),
        Event("o8", 1, "new", None, "new", None, None),
        Event("o8", 2, "trade", "new", "partially_filled", d(1000), d("1.11")),
        Event("o8", 3, "trade", "partially_filled", "partially_filled", d(2000), d("1.1")),
        Event("o8", 4, "canceled", "partially_filled", "canceled", None, None),
    ],
    fills=[
        Fill("f1", "o1", d(2000), d("1.1"), "LP", None),
        Fill("f2", "o2", d(3000), d("1.105"), "LP", None),
        Fill("f3", "o3", d(2000), d("1.1"), "LP", "X-3"),
        Fill("f4", "o4", d(1000), d("1.09"), "LP", None),
        Fill("f5", "o5", d(1000), d("1.1"), "LP", None),
        Fill("f6", "o6", d(2000), d("1.2"), "LP", None),
        Fill("f7", "o7", d(2000), d("1.3"), "LP", None),
        Fill("f8", "o8", d(1000), d("1.11"), "LP", None),
        Fill("f9", "o8", d(2000), d("1.1"), "LP", None),
    ],
    trades=[
        trade("t1", ("n", "f1", None), ("p1", 1), ("open", 2000, "1.1"), ("0", 2000, "1.1", "0")),
        trade(
            "t2", ("n", "f2", None), ("p1", 2), ("close", -2000, "1.105"), ("10", 0, "1.1", "10")
        ),
        trade(
            "t3", ("n", "f2", None), ("p2", 1), ("open", -1000, "1.105"), ("0", -1000, "1.105", "0")
        ),
        trade("t4", ("h", "f3", None), ("p3", 1), ("open", 2000, "1.1"), ("0", 2000, "1.1", "0")),
        trade(
            "t5", ("h", "f4", None), ("p4", 1), ("open", -1000, "1.09"), ("0", -1000, "1.09", "0")
        ),
        trade(
            "t6",
            ("h", None, "c1"),
            ("p3", 2),
            ("close", -1000, "1.09"),
            ("-10", 1000, "1.1", "-10"),
        ),
        trade("t7", ("h", None, "c1"), ("p4", 2), ("close", 1000, "1.09"), ("0", 0, "1.09", "0")),
        trade("t8", ("f", "f5", None), ("p5", 1), ("open", 1000, "1.1"), ("0", 1000, "1.1", "0")),
        trade("t9", ("f", "f6", None), ("p6", 1), ("open", 2000, "1.2"), ("0", 2000, "1.2", "0")),
        trade(
            "ta", ("f", "f7", None), ("p5", 2), ("close", -1000, "1.3"), ("200", 0, "1.1", "200")
        ),
        trade(
            "tb", ("f", "f7", None), ("p6", 2), ("close", -1000, "1.3"), ("100", 1000, "1.2", "100")
        ),
        trade(
            "tc", ("n", "f8", None), ("p2", 2), ("open", -1000, "1.11"), ("0", -2000, "1.1075", "0")
        ),
        trade(
            "td", ("n", "f9", None), ("p2", 3), ("open", -2000, "1.1"), ("0", -4000, "1.10375", "0")
        ),
    ],
    positions=[
        Position("p1", "n", "EURUSD", "netting", d(0), d("1.1"), d(10), False, 2),
        Position("p2", "n", "EURUSD", "netting", d(-4000), d("1.10375"), d(0), True, 3),
        Position("p3", "h", "EURUSD", "hedging", d(1000), d("1.1"), d(-10), True, 2),
        Position("p4", "h", "EURUSD", "hedging", d(0), d("1.09"), d(0), False, 2),
        Position("p5", "f", "EURUSD", "fifo", d(0), d("1.1"), d(200), False, 2),
        Position("p6", "f", "EURUSD", "fifo", d(1000), d("1.2"), d(100), True, 2),
    ],
    close_bys=[CloseBy("c1", "h", "p3", "p4", d(1000), d("1.09"))],
)

MONEY = Record(
    trades=[RECORD.trades[1]],
    entries=[
        Entry("w", 1, "a", "credit", "credit", d(100), d(100), d(0)),
        Entry("w", 2, "m", "transfer_out", "debit", d(40), d(60), d(0)),
        Entry("n", 1, "m", "transfer_in", "credit", d(40), d(40), d(0)),
        Entry("n", 2, "t2", "realised_pnl", "credit", d(10), d(50), d(0)),
        Entry("n", 3, "t2", "commission", "debit", d("0.02"), d("49.98"), d(0)),
    ],
    transfers=[
        Transfer("a", "credit", "house", "w", d(100)),
        Transfer("m", "transfer", "w", "n", d(40)),
        Transfer("t2", "realised_pnl", "house", "n", d(10)),
        Transfer("t2", "commission", "n", "house", d("0.02")),
    ],
    balances=[Balance("w", d(60), d(0)), Balance("n", d("49.98"), d(0))],
)

REPLAYS = (replay_orders, replay_positions, replay_balances)


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
