"""How what is still open of a busted fill is taken back, in the transaction that decides it.

Account and day are held as by a batch, and everything is written the way a batch writes it, so that
every guard asks the same. No price is needed: what was opened is closed at its own price, the rest
of the position keeps the average of the rest, and money is given back in proportion. `reversals`
reckons, `corrections` says who may decide.
"""

import json
from datetime import date
from decimal import Decimal

from msgspec import Struct
from msgspec.structs import asdict

from tradewright.core.errors import ErrorCode, StateError
from tradewright.core.ids import new_id_text
from tradewright.ledger.model import HouseCode
from tradewright.liquidity.market import Market
from tradewright.postgres.connect import Session
from tradewright.postgres.queries import load_queries
from tradewright.trading import orders, positions
from tradewright.trading.closing import is_being_closed
from tradewright.trading.house_commands import HOUSE_CHANGED
from tradewright.trading.model import EventType, OrderStatus
from tradewright.trading.news import messages
from tradewright.trading.reference import quote_board, read_reference
from tradewright.trading.reversals import (
    Opened,
    PaidSwap,
    Since,
    in_proportion,
    open_part,
    swap_back,
)
from tradewright.trading.rollovers import RECEIVERS, owes_swap
from tradewright.trading.rows import write_desk
from tradewright.trading.state import AccountState, Desk, PositionState
from tradewright.trading.store import read_desk
from tradewright.trading.swap_store import read_rolling

_QUERIES = "tradewright.trading"
_NOTHING = Decimal(0)


class Bust(Struct, frozen=True):
    """A bust that is decided about, the fill that it is about, and who decides."""

    correction_id: str
    fill_id: str
    actor: str


class _GivenBack(Struct, frozen=True):
    """The trade that takes something back, and what the account is given back with it."""

    reversing_id: str
    commission: Decimal
    adjustment: Decimal


class _Fill(Struct, frozen=True):
    """A fill with its order; `quantity` is signed."""

    order_id: str
    symbol: str
    quantity: Decimal
    execution_id: str


def open_quantity(connection: Session, fill_id: str) -> Decimal:
    """Return how much of a fill could be taken back now, without locking anything."""
    opened = _read_opened(connection, fill_id)
    if opened is None or opened.is_reversed:
        return _NOTHING
    row = connection.execute(
        load_queries(_QUERIES)["position_held"], {"position_id": opened.position_id}
    ).fetchone()
    return _NOTHING if row is None else open_part(opened, _read_since(connection, opened), *row)


def reverse_fill(connection: Session, bust: Bust) -> None:
    """Take back what is still open of a busted fill, with its swaps, commission and adjustments.

    In the caller's transaction, which holds the decision. What is not open any more stays with
    people: an alert tells it. The account may fall below zero, as through any loss.

    Raises:
        StateError: CORRECTION_NOT_REVERSIBLE.

    """
    desk, account, fill = _lock(connection, bust)
    opened = _require_opened(connection, bust, fill)
    position = account.position(fill.symbol, opened.position_id)
    if position is None:
        raise _nothing_open(bust, fill)
    _require_rest(connection, desk, account, (bust, fill, position))
    since = _read_since(connection, opened)
    part = open_part(opened, since, position.quantity, position.instrument.quantity_step)
    if not part:
        raise _nothing_open(bust, fill)
    taken = -part if opened.quantity > 0 else part
    back = _take_back(desk, account, (bust, opened, position, taken))
    _give_swaps_back(connection, desk, account, (opened, back.reversing_id, taken))
    _tell(desk, bust, fill, taken)
    write_desk(connection, desk)
    link = {"trade_id": opened.trade_id, "correction_id": bust.correction_id, **asdict(back)}
    connection.execute(load_queries(_QUERIES)["add_trade_reversal"], link)
    change = {"symbols": [fill.symbol], "changes": [-fill.quantity - taken]}
    connection.execute(load_queries(_QUERIES)["write_exposure_changes"], change)
    told = {"texts": [*messages([account.id]), HOUSE_CHANGED]}
    connection.execute(load_queries(_QUERIES)["tell_engines"], told)


def _lock(connection: Session, bust: Bust) -> tuple[Desk, AccountState, _Fill]:
    """Hold the reference data, so that no day ends meanwhile, then the fill's account."""
    reference = read_reference(connection)
    query = load_queries(_QUERIES)["lock_execution_account"]
    row = connection.execute(query, {"fill_id": bust.fill_id}).fetchone()
    if row is None:
        raise AssertionError("a fill is of an order, and that of an account")
    market = Market(quote_board(reference))
    desk = read_desk(connection, reference, market, [row[0]])
    return desk, desk.accounts[row[0]], _Fill(*row[2:])


def _read_opened(connection: Session, fill_id: str) -> Opened | None:
    """Return the trade by which a fill has opened something; it has one at the most."""
    query = load_queries(_QUERIES)["opened_by_fill"]
    row = connection.execute(query, {"fill_id": fill_id}).fetchone()
    return None if row is None else Opened(*row)


def _read_since(connection: Session, opened: Opened) -> list[Since]:
    named = {"position_id": opened.position_id, "version": opened.version}
    rows = connection.execute(load_queries(_QUERIES)["trades_since"], named)
    return [Since(*row) for row in rows]


def _require_opened(connection: Session, bust: Bust, fill: _Fill) -> Opened:
    """Return what the fill has opened; refuse one that has only closed, or is taken back."""
    opened = _read_opened(connection, bust.fill_id)
    if opened is None:
        raise _nothing_open(bust, fill)
    if opened.is_reversed:
        raise not_reversible(
            bust.correction_id,
            why=f'What was open of execution "{fill.execution_id}" has been taken back before.',
            hint="Settle this bust as undone, naming the other.",
        )
    return opened


def _require_rest(
    connection: Session, desk: Desk, account: AccountState, about: tuple[Bust, _Fill, PositionState]
) -> None:
    """Refuse while a provider decides on what would change the position, or a swap is due."""
    bust, fill, position = about
    order = desk.orders.get(fill.order_id)
    if (order is not None and order.is_routed) or is_being_closed(account, position):
        raise not_reversible(
            bust.correction_id,
            why="A provider decides on more of the fill's order, or on a close of its position.",
            hint="Try again when the provider has answered.",
        )
    ended_on = desk.reference.ended_on
    if ended_on == date.min:
        return
    rolling = read_rolling(connection, [account.id], ended_on, {})
    if owes_swap(rolling, position, ended_on):
        raise not_reversible(
            bust.correction_id,
            why=f'The swap of "{fill.symbol}" is due and not booked yet.',
            hint="Let an engine run until it has a price and has booked the swap, then try again.",
        )


def _take_back(
    desk: Desk, account: AccountState, about: tuple[Bust, Opened, PositionState, Decimal]
) -> _GivenBack:
    """Take the part out of its position, and give back what it has cost beside swap."""
    bust, opened, position, taken = about
    dealt = (taken, opened.price, opened.conversion_rate)
    key = positions.reverse(desk, account, position, bust.fill_id, dealt)
    currency = account.profile.currency
    whole, house = opened.quantity, desk.house[currency]
    fee = in_proportion(opened.commission, taken, whole, currency)
    adjusted = -in_proportion(opened.adjusted, taken, whole, currency)
    _pay(desk, account, (key, "commission_return"), fee, house[HouseCode.FEES])
    _pay(desk, account, (key, "adjustment_return"), adjusted, house[HouseCode.DEALING])
    return _GivenBack(key, fee, adjusted)


def _give_swaps_back(
    connection: Session, desk: Desk, account: AccountState, about: tuple[Opened, str, Decimal]
) -> None:
    """Give back what was paid for the part over each day since, as a late trade would."""
    opened, reversing_id, taken = about
    currency = account.profile.currency
    query = load_queries(_QUERIES)["swaps_of_trade"]
    for row in connection.execute(query, {"trade_id": opened.trade_id}):
        paid, key = PaidSwap(*row), new_id_text()
        amount = swap_back(paid, taken, currency)
        place = (key, opened.position_id, paid.rollover_on, paid.days)
        figures = (taken, paid.rate, amount, paid.operation, reversing_id)
        desk.changes.rollovers.append((*place, *figures))
        house = desk.house[currency][RECEIVERS[paid.operation]]
        _pay(desk, account, (key, paid.operation), amount, house)


def _pay(
    desk: Desk, account: AccountState, key: tuple[str, str], amount: Decimal, house_id: str
) -> None:
    """Give an account an amount of the house, or charge it if it is below zero."""
    named = {"transaction_id": key[0], "operation": key[1]}
    if amount > 0:
        desk.journal.receive(account.holder, amount, source=house_id, **named)
    elif amount < 0:
        desk.journal.give(account.holder, -amount, sink=house_id, **named)


def _tell(desk: Desk, bust: Bust, fill: _Fill, taken: Decimal) -> None:
    """Note it on the order if that still lives, and tell people what they are left with.

    Quantity and price of what was filled stay as the client was told: an order that has ended
    takes no step any more, and the reversal has its own record.
    """
    order = desk.orders.get(fill.order_id)
    if order is not None and order.status is OrderStatus.PARTIALLY_FILLED:
        details = json.dumps({"bust": bust.correction_id, "reversed": _shown(taken)})
        orders.record(desk, order, EventType.RESTATED, order.status, bust.actor, details=details)
    left = abs(fill.quantity) - abs(taken)
    if left:
        what = (
            f"{_shown(left)} of {_shown(fill.quantity)} of the busted execution"
            f" {fill.execution_id} were not taken back, since they are not"
            " open any more: trade them out with a provider"
        )
        alert = ("critical", "reversal_incomplete", bust.correction_id, what)
        desk.changes.alerts.append(alert)


def _shown(quantity: Decimal) -> str:
    """Write a quantity for people, without its sign and its zeros."""
    return f"{abs(quantity).normalize():f}"


def _nothing_open(bust: Bust, fill: _Fill) -> StateError:
    return not_reversible(
        bust.correction_id,
        why=f'Nothing that the {_shown(fill.quantity)} of execution "{fill.execution_id}" have '
        "opened is open still: they closed a position, or were closed or netted since. An opposite "
        "fill would open a position that the client has not asked for.",
        hint="Trade it out or undo it by hand, then settle it as kept, traded_out or undone.",
    )


def not_reversible(correction_id: str, *, why: str, hint: str) -> StateError:
    """Return why a bust cannot be booked as a reversal, now or at all."""
    return StateError(
        ErrorCode.CORRECTION_NOT_REVERSIBLE,
        f'bust "{correction_id}" cannot be reversed',
        why=why,
        hint=hint,
    )
