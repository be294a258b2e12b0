"""Small records of trading that follow every rule, row by row, for what replays or reads them."""

from datetime import date
from decimal import Decimal
from typing import Any

from tradewright.soak.trading.replay import Record
from tradewright.soak.trading.replay.record import (
    Account,
    Adjustment,
    Balance,
    CloseBy,
    Entry,
    Event,
    Fill,
    Hedge,
    HedgeFill,
    Order,
    Position,
    Replacement,
    Reversal,
    Rollover,
    Settlement,
    Trade,
    Transfer,
)


def d(text: str | int) -> Decimal:
    """Return an exact number."""
    return Decimal(text)


def swap(
    row_id: str, position: str, trade_id: str | None, days: int, done: tuple[int, str]
) -> Rollover:
    """Return a swap in points for a day; `done` is the quantity and the amount."""
    row = (row_id, position, date(2026, 1, 13), trade_id, days, d(done[0]), d(1), d(done[1]))
    return Rollover(*row, d("-6.5"), d("2.25"), d("0.00001"), 2)


def order(number: int, account: str, side: str, quantity: int, price: str, **changes: Any) -> Order:
    filled = Order(
        id=f"o{number}",
        account_id=account,
        client_order_id=f"key{number}",
        symbol="EURUSD",
        side=side,
        origin="client",
        quantity=d(quantity),
        filled_quantity=d(quantity),
        remaining_quantity=d(0),
        average_price=d(price),
        status="filled",
        is_routed=False,
        version=2,
        is_reduce_only=False,
        position_id=None,
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
    return Trade(
        id=row_id,
        account_id=str(cause[0]),
        fill_id=cause[1],
        close_by_id=cause[2],
        position_id=position[0],
        position_version=position[1],
        effect=did[0],
        quantity=d(did[1]),
        price=d(did[2]),
        conversion_rate=d(1),
        realised_pnl=d(result[0]),
        commission=d("0.02"),
        position_quantity=d(result[1]),
        position_average_price=d(result[2]),
        position_realised_pnl=d(result[3]),
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

# The dollars of the trades t1 and t9, held over one night and over three.
SWAPS = Record(
    trades=[RECORD.trades[0], RECORD.trades[8]],
    rollovers=[
        swap("t5", "p1", None, 1, (2000, "-0.13")),
        swap("tz", "p6", None, 3, (2000, "-0.39")),
    ],
    entries=[
        Entry("n", 1, "t5", "swap", "debit", d("0.13"), d(0), d(0)),
        Entry("f", 1, "tz", "swap", "debit", d("0.39"), d(0), d(0)),
    ],
)

# Of 2,000 that are asked for 500 are dealt; then 1,000 are asked for under another key, and dealt.
REPLACED = Record(
    orders=[order(1, "n", "buy", 1000, "1.15", version=4)],
    events=[
        Event("o1", 1, "new", None, "new", None, None),
        Event("o1", 2, "trade", "new", "partially_filled", d(500), d("1.1")),
        Event(
            *("o1", 3, "replaced", "partially_filled", "partially_filled"),
            *(None, None, d(1000), d(2000)),
        ),
        Event("o1", 4, "trade", "partially_filled", "filled", d(500), d("1.2")),
    ],
    fills=[
        Fill("f1", "o1", d(500), d("1.1"), "LP", None),
        Fill("f2", "o1", d(500), d("1.2"), "LP", None),
    ],
    replacements=[Replacement("n", "key9", "o1", 3, d(1000))],
)

# The house buys 2,000, then sells 5,000 in two pieces, of which 1,000 turn it short.
HEDGES = Record(
    hedges=[
        Hedge("g1", "EURUSD", "buy", d(2000), d(2000), "filled"),
        Hedge("g2", "EURUSD", "sell", d(5000), d(3000), "partially_filled"),
    ],
    hedge_fills=[
        HedgeFill(
            "x1", "g1", "EURUSD", 1, "LP", "X-1", d(2000), d("1.1"), d(0), d(2000), d("1.1"), 2
        ),
        HedgeFill(
            "x2", "g2", "EURUSD", 2, "LP", "X-2", d(-1000), d("1.2"), d(100), d(1000), d("1.1"), 2
        ),
        HedgeFill(
            "x3", "g2", "EURUSD", 3, "LP", "X-3", d(-2000), d("1"), d(-100), d(-1000), d("1"), 2
        ),
    ],
    transfers=[
        Transfer("x2", "hedge_pnl", "liquidity", "dealing", d(100)),
        Transfer("x3", "hedge_pnl", "dealing", "liquidity", d(100)),
    ],
)

# n buys 2,000 twice and sells 2,000: half of each is open, and is held over a night. The price of
# the first is then corrected, and it is busted: what is open of it is taken back.
REVERSED = Record(
    accounts=[Account("n", "USD", 2, "netting")],
    orders=[
        order(1, "n", "buy", 2000, "1.1"),
        order(2, "n", "buy", 2000, "1.2"),
        order(3, "n", "sell", 2000, "1.25"),
    ],
    events=[*events(1, 2000, "1.1"), *events(2, 2000, "1.2"), *events(3, 2000, "1.25")],
    fills=[
        Fill("f1", "o1", d(2000), d("1.1"), "LP", "X-1"),
        Fill("f2", "o2", d(2000), d("1.2"), "LP", "X-2"),
        Fill("f3", "o3", d(2000), d("1.25"), "LP", "X-3"),
    ],
    trades=[
        trade("t1", ("n", "f1", None), ("p1", 1), ("open", 2000, "1.1"), ("0", 2000, "1.1", "0")),
        trade("t2", ("n", "f2", None), ("p1", 2), ("open", 2000, "1.2"), ("0", 4000, "1.15", "0")),
        trade(
            *("t3", ("n", "f3", None), ("p1", 3), ("close", -2000, "1.25")),
            ("200", 2000, "1.15", "200"),
        ),
        trade(
            *("t5", ("n", "f1", None), ("p1", 4), ("reverse", -1000, "1.1")),
            ("0", 1000, "1.2", "200"),
        )._replace(commission=d(0)),
    ],
    positions=[Position("p1", "n", "EURUSD", "netting", d(1000), d("1.2"), d(200), True, 4)],
    reversals=[Reversal("t1", "t5", d("0.01"), d(-3))],
    adjustments=[Adjustment("ta", "t1", d("1.1"), d("1.097"), d(6))],
    settlements=[Settlement("B-1", "reversed", 1, 0), Settlement("G-1", "adjusted", 0, 1)],
    rollovers=[
        swap("t4", "p1", None, 1, (2000, "-0.13")),
        swap("t6", "p1", "t5", 1, (-1000, "0.06")),
    ],
    entries=[
        Entry("n", 1, "t1", "commission", "debit", d("0.02"), d("-0.02"), d(0)),
        Entry("n", 2, "t2", "commission", "debit", d("0.02"), d("-0.04"), d(0)),
        Entry("n", 3, "t3", "realised_pnl", "credit", d(200), d("199.96"), d(0)),
        Entry("n", 4, "t3", "commission", "debit", d("0.02"), d("199.94"), d(0)),
        Entry("n", 5, "t4", "swap", "debit", d("0.13"), d("199.81"), d(0)),
        Entry("n", 6, "ta", "price_adjustment", "credit", d(6), d("205.81"), d(0)),
        Entry("n", 7, "t5", "commission_return", "credit", d("0.01"), d("205.82"), d(0)),
        Entry("n", 8, "t5", "adjustment_return", "debit", d(3), d("202.82"), d(0)),
        Entry("n", 9, "t6", "swap", "credit", d("0.06"), d("202.88"), d(0)),
    ],
)

# The first of them again, of which a provider tells only then that it was flipped before.
LATE_SWAPS = Record(
    trades=[RECORD.trades[0], RECORD.trades[1]._replace(id="tu", quantity=d(-3000))],
    rollovers=[
        swap("t5", "p1", None, 1, (2000, "-0.13")),
        swap("tv", "p1", "tu", 1, (-3000, "0.15")),
    ],
    entries=[
        Entry("n", 1, "t5", "swap", "debit", d("0.13"), d(0), d(0)),
        Entry("n", 2, "tv", "swap", "credit", d("0.15"), d(0), d(0)),
    ],
)
