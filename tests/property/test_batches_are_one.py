"""However commands are cut into batches, the same orders, positions and balances come out."""

import threading
from collections.abc import Sequence
from decimal import Decimal
from itertools import pairwise
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.floor import Floor, market_of, order
from tradewright.core.errors import TradewrightError
from tradewright.liquidity.model import Side
from tradewright.postgres.connect import connect
from tradewright.postgres.pipeline import Pipeline
from tradewright.risk.model import ClientClass, PendingMargin
from tradewright.trading.batch import Trading, book_batch
from tradewright.trading.groups import AccountGroup, PositionMode, set_group
from tradewright.trading.model import (
    CancelOrder,
    CheckMargin,
    Command,
    OrderReport,
    OrderType,
    ReplaceOrder,
    TimeInForce,
)

KINDS = (
    "market",
    "bounded",
    "near limit",
    "far limit",
    "near stop",
    "far stop",
    "near stop limit",
    "far stop limit",
    "near touch",
    "far touch",
    "trailing",
    "reducing",
    "reducing far limit",
    "post far limit",
    "post near limit",
    "grouped far limit",
    "grouped far stop",
    "grouped near limit",
    "day far limit",
)
"""What kind of order; `near` has its price on arrival, `far` waits for it."""

Step = tuple[str, int, str, Side, int, str, str]
"""What, which account, symbol, side, thousands, kind of order, client order id."""

steps: st.SearchStrategy[Step] = st.tuples(
    st.sampled_from(["order"] * 6 + ["cancel", "replace", "check"]),
    st.integers(0, 1),
    st.sampled_from(["EURUSD", "USDJPY", "NOSUCH"]),
    st.sampled_from(Side),
    st.integers(1, 400),
    st.sampled_from(KINDS),
    st.sampled_from([f"key-{number}" for number in range(12)]),
)
groups = st.tuples(st.sampled_from(PositionMode), st.sampled_from(PendingMargin)).map(
    lambda drawn: AccountGroup(
        code=f"{drawn[0]}-{drawn[1]}", position_mode=drawn[0], pending_margin=drawn[1]
    )
)
PRICES = {"EURUSD": ("1.10000", "1.10010"), "USDJPY": ("150.000", "150.010")}
TICKS = {"EURUSD": Decimal("0.00001"), "USDJPY": Decimal("0.001"), "NOSUCH": Decimal(1)}


def command(step: Step, accounts: Sequence[str]) -> Command:
    what, place, symbol, side, thousands, kind, key = step
    account_id = accounts[place]
    if what == "cancel":
        return CancelOrder(account_id=account_id, client_order_id=key)
    if what == "check":
        return CheckMargin(account_id=account_id)
    if what == "replace":
        return ReplaceOrder(
            account_id=account_id,
            client_order_id=key,
            new_client_order_id=f"{key}-again",
            quantity=Decimal(thousands * 1_000),
        )
    fields: dict[str, Any] = {"symbol": symbol, "client_order_id": key}
    fields |= prices(kind, symbol, side) | conditions(kind)
    return order(account_id, side, thousands * 1_000, **fields)


def prices(kind: str, symbol: str, side: Side) -> dict[str, Any]:
    """Return an order's prices, half a thousand ticks from the market."""
    ask, tick = Decimal(PRICES.get(symbol, ("1", "1"))[1]), TICKS[symbol]
    above, below = (ask + 500 * tick * side.sign * way for way in (1, -1))
    near = "near" in kind
    if "stop limit" in kind:
        stop = below if near else above
        return {
            "order_type": OrderType.STOP_LIMIT,
            "time_in_force": TimeInForce.GTC,
            "stop_price": stop,
            "limit_price": above,
        }
    if "stop" in kind:
        return {"stop_price": below if near else above}
    if "touch" in kind:
        touch = above if near else below
        return {"stop_price": touch, "order_type": OrderType.TAKE_PROFIT}
    if "limit" in kind:
        return {"limit_price": above if near else below}
    if kind == "trailing":
        return {"trailing_distance": 500 * tick}
    immediate = {"order_type": OrderType.MARKET, "time_in_force": TimeInForce.IOC}
    return immediate | ({"limit_price": above} if kind == "bounded" else {})


def conditions(kind: str) -> dict[str, Any]:
    """Return what restrains an order beside its prices."""
    asked: dict[str, Any] = {}
    if "reducing" in kind:
        asked["is_reduce_only"] = True
    if "post" in kind:
        asked["is_post_only"] = True
    if "grouped" in kind:
        asked["oco_group"] = "one"
    if "day" in kind:
        asked["time_in_force"] = TimeInForce.DAY
    return asked


def outcome(floor: Floor, accounts: Sequence[str]) -> list[Any]:
    """Return what the accounts came to, without the ids that differ by nature."""
    return [
        [
            floor.balance(account_id),
            floor.rows(
                "SELECT client_order_id, symbol, status, filled_quantity, average_price,"
                " refusal_code, version FROM orders WHERE account_id = %s AND origin = 'client'"
                " ORDER BY client_order_id",
                account_id,
            ),
            floor.rows(
                "SELECT symbol, quantity, average_price, realised_pnl, version FROM positions"
                " WHERE account_id = %s ORDER BY symbol, id",
                account_id,
            ),
            floor.rows(
                "SELECT operation, effect, amount, available_after FROM balance_ledger"
                " WHERE holder_id = %s ORDER BY version",
                account_id,
            ),
        ]
        for account_id in accounts
    ]


def told(answer: object) -> object:
    """Return what a client reads of an answer, without ids."""
    if isinstance(answer, TradewrightError):
        return answer.code
    if isinstance(answer, OrderReport):
        return (answer.status, answer.filled_quantity, answer.average_price, answer.is_replay)
    return type(answer)


def pieces(count: int, cuts: set[int]) -> list[slice]:
    bounds = [0, *sorted(cut for cut in cuts if 0 < cut < count), count]
    return [slice(start, end) for start, end in pairwise(bounds)]


@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    history=st.lists(steps, min_size=8, max_size=40),
    cuts=st.sets(st.integers(1, 39)),
    groups=st.tuples(groups, groups),
)
def test_one_batch_singles_and_any_cut_come_to_the_same(
    floor: Floor, history: list[Step], cuts: set[int], groups: tuple[AccountGroup, AccountGroup]
) -> None:
    count = len(history)
    for group in groups:
        set_group(floor.session, group)
    runs = []
    for slices in (pieces(count, set()), pieces(count, set(range(count))), pieces(count, cuts)):
        accounts = [
            floor.account(
                "9000", client_class=ClientClass.PROFESSIONAL, leverage=leverage, group=group.code
            )
            for leverage, group in zip((30, 200), groups, strict=True)
        ]
        reference = floor.build().reference
        trading = Trading(reference, market_of(PRICES, "300000"), threading.Lock())
        commands = [command(step, accounts) for step in history]
        with connect(floor.conninfo, writer=True, autocommit=True) as session:
            pipeline = Pipeline(session)
            answers = [
                told(answer)
                for part in slices
                for answer in book_batch(pipeline, trading, commands[part]).answers
            ]
        runs.append((answers, outcome(floor, accounts)))
    assert runs[0] == runs[1]
    assert runs[0] == runs[2]
    assert floor.broken_laws() == {}
