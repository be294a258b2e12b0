"""What a fill does to an account: it closes, opens or flips positions, and moves money.

Realised P&L, commission and their rounding to the account's currency happen here and nowhere
else: once, at booking, half to even. The result of a closing trade moves between the account and
the house's dealing holder, the commission to its fees holder.
"""

from collections.abc import Mapping, Sequence
from decimal import ROUND_HALF_EVEN, Decimal
from types import MappingProxyType

from msgspec import Struct

from tradewright.core.errors import ErrorCode, StateError
from tradewright.core.ids import new_id_text
from tradewright.core.money import round_to_minor_unit
from tradewright.ledger.model import HouseCode
from tradewright.liquidity.instrument import Instrument
from tradewright.liquidity.market import Rate
from tradewright.risk.margin import conversion
from tradewright.trading.commissions import CommissionTerms, commission, spread, terms_for
from tradewright.trading.groups import PositionMode
from tradewright.trading.opening_rates import RATE_QUANTUM, opening_rate_after
from tradewright.trading.rules import average_price_after, split_fill
from tradewright.trading.state import AccountState, Desk, OrderState, PositionState

_NOTHING = Decimal(0)
_ONE = Decimal(1)

NOT_SPOKEN_FOR: Mapping[str, Decimal] = MappingProxyType({})

Cause = tuple[str | None, str | None]
"""What is behind a trade: the id of a fill, or of a pairing of two positions."""

Dealt = tuple[Decimal, Decimal, Decimal]
"""What a trade deals: its signed quantity, its price and its share of the commission."""


def apply_fill(
    desk: Desk,
    account: AccountState,
    order: OrderState,
    fill_id: str,
    dealt: tuple[Decimal, Decimal],
) -> None:
    """Book a fill of `dealt` (quantity, price) into the account's position in the symbol.

    Its commission is that of the whole fill, however many positions it meets: the minimum is
    charged once.
    """
    quantity, price = dealt
    matched = match_fill(account, order, quantity * order.side.sign)
    currency = account.profile.currency
    fee = round_to_minor_unit(charge(desk, account, order.instrument, quantity), currency)
    parts = [part for _, part in matched.closes]
    if matched.opens:
        parts.append(matched.opens)
    fees = spread(fee, parts, currency)
    for (position, part), share in zip(matched.closes, fees, strict=False):
        close(desk, account, position, (fill_id, None), (part, price, share))
    if matched.opens:
        _open(desk, account, order, fill_id, (matched.opens, price, fees[-1]))


class Matched(Struct, frozen=True):
    """How a fill meets the open positions: the part that closes each, and what it opens."""

    closes: list[tuple[PositionState, Decimal]]
    opens: Decimal


def match_fill(
    account: AccountState,
    order: OrderState,
    signed: Decimal,
    spoken_for: Mapping[str, Decimal] = NOT_SPOKEN_FOR,
) -> Matched:
    """Match a signed fill of an order with the positions that it may close, the oldest first.

    Every part carries the fill's sign, and together they add up to it. What others would close is
    `spoken_for`, signed as they are, by position.
    """
    closes: list[tuple[PositionState, Decimal]] = []
    rest = signed
    for position in _closable(account, order):
        left = position.quantity
        if spoken_for:
            left += spoken_for.get(position.id, _NOTHING)
        split = split_fill(left, rest)
        if split.closes:
            closes.append((position, split.closes))
        rest = split.opens
        if not rest:
            break
    return Matched(closes, rest)


def _closable(account: AccountState, order: OrderState) -> Sequence[PositionState]:
    """Return what an order may close: the position it names, or what its mode says."""
    held = account.positions.get(order.instrument.symbol, ())
    if account.nets or not held:
        return held
    if order.position_id is not None:
        return [position for position in held if position.id == order.position_id]
    if order.is_reduce_only or account.group.position_mode is PositionMode.FIFO:
        return held
    return ()


def require_rates(desk: Desk, account: AccountState, instrument: Instrument) -> None:
    """Refuse to book trades that could not be valued; ask before anything is changed.

    A position whose swap is due and has no price or rate is not traded in either: what it owes
    follows from what it was.

    Raises:
        StateError: ORDER_RATE_MISSING.

    """
    if (account.id, instrument.symbol) in desk.unvalued:
        raise swap_without_value(instrument.symbol)
    for currency in rate_sources(desk, account, instrument):
        _required_rate(desk, currency, account.profile.currency)


def swap_without_value(symbol: str) -> StateError:
    """Return what is told who would trade before the swap that is due can be booked."""
    return StateError(
        ErrorCode.ORDER_RATE_MISSING,
        f'the swap of "{symbol}" is due and cannot be valued',
        why="Its price, or the rate of its currency, has not been known since the start.",
        hint="Wait for quotes, then try again.",
        facts={"symbol": symbol},
    )


def rate_sources(desk: Desk, account: AccountState, instrument: Instrument) -> tuple[str, ...]:
    """Return the currencies whose rates a trade needs: of results, margin and commission."""
    currencies = instrument.quote_currency, instrument.base_currency
    if not desk.reference.commissions:
        return currencies
    return *currencies, _terms(desk, account, instrument).currency


def charge(desk: Desk, account: AccountState, instrument: Instrument, quantity: Decimal) -> Decimal:
    """Return what one side of a trade costs in the account's currency, before rounding."""
    terms, currency = _terms(desk, account, instrument), account.profile.currency
    base_rate = _required_rate(desk, instrument.base_currency, currency).mid
    terms_rate = _ONE
    if terms.currency != currency:
        terms_rate = _required_rate(desk, terms.currency, currency).mid
    return commission(terms, instrument, quantity, (base_rate, terms_rate))


def _terms(desk: Desk, account: AccountState, instrument: Instrument) -> CommissionTerms:
    book = desk.reference.commissions
    return terms_for(book, account.group.code, instrument, account.profile.currency)


def close(
    desk: Desk,
    account: AccountState,
    position: PositionState,
    cause: Cause,
    dealt: Dealt,
) -> Decimal:
    """Close a signed part of a position at a price; return the result that was booked."""
    quantity, price, fee = dealt
    result = (position.average_price - price) * quantity
    rate = _required_rate(desk, position.instrument.quote_currency, account.profile.currency)
    used_rate, pnl = booked(result, rate, account.profile.currency)
    position.quantity += quantity
    position.realised_pnl += pnl
    if not position.quantity:
        _take_away(account, position)
    trade_id = _book_trade(
        desk, account, position, cause, ("close", quantity, price, used_rate, pnl, fee)
    )
    _move_result(desk, account, trade_id, pnl)
    return pnl


def _move_result(desk: Desk, account: AccountState, trade_id: str, pnl: Decimal) -> None:
    """Move what a trade has won or lost between the account and the house's dealing holder."""
    house = desk.house[account.profile.currency][HouseCode.DEALING]
    if pnl > 0:
        desk.journal.receive(
            account.holder, pnl, transaction_id=trade_id, operation="realised_pnl", source=house
        )
    elif pnl < 0:
        desk.journal.give(
            account.holder, -pnl, transaction_id=trade_id, operation="realised_pnl", sink=house
        )


def booked(result: Decimal, rate: Rate, currency: str) -> tuple[Decimal, Decimal]:
    """Return the rate that converts a result, bid for a profit and ask for a loss, and the money.

    Both are rounded half to even: the rate to twelve decimals, the money to its minor unit.
    """
    used = conversion(result, rate).quantize(RATE_QUANTUM, rounding=ROUND_HALF_EVEN)
    return used, round_to_minor_unit(result * used, currency)


def _take_away(account: AccountState, position: PositionState) -> None:
    """Take a position that is closed from those that are open."""
    symbol = position.instrument.symbol
    left = [one for one in account.positions[symbol] if one is not position]
    if left:
        account.positions[symbol] = left
    else:
        del account.positions[symbol]


def _open(
    desk: Desk,
    account: AccountState,
    order: OrderState,
    fill_id: str,
    dealt: Dealt,
) -> None:
    quantity, price, fee = dealt
    held = account.positions.setdefault(order.instrument.symbol, [])
    rate = _required_rate(desk, order.instrument.quote_currency, account.profile.currency)
    used_rate = rate.mid.quantize(RATE_QUANTUM, rounding=ROUND_HALF_EVEN)
    if held and account.nets:
        position = held[0]
        position.average_price = average_price_after(
            position.quantity, position.average_price, quantity, price
        )
    else:
        position = new_position(account, order, price)
        held.append(position)
    position.opening_rate = opening_rate_after(account, position, (quantity, price, used_rate))
    position.quantity += quantity
    _protect(desk, account, order, position)
    done = ("open", quantity, price, used_rate, _NOTHING, fee)
    _book_trade(desk, account, position, (fill_id, None), done)


def reverse(
    desk: Desk,
    account: AccountState,
    position: PositionState,
    fill_id: str,
    dealt: tuple[Decimal, Decimal, Decimal],
) -> str:
    """Take a signed part of what a fill has opened out of its position; return the trade's id.

    `dealt` is that part with the fill's price and rate. What is left stands at the average of the
    rest, so there is no result.
    """
    quantity, price, rate = dealt
    if position.quantity + quantity:
        position.average_price = average_price_after(
            position.quantity, position.average_price, quantity, price
        )
        position.opening_rate = opening_rate_after(account, position, dealt)
    position.quantity += quantity
    if not position.quantity:
        _take_away(account, position)
    done = ("reverse", quantity, price, rate, _NOTHING, _NOTHING)
    return _book_trade(desk, account, position, (fill_id, None), done)


def _protect(desk: Desk, account: AccountState, order: OrderState, opened: PositionState) -> None:
    """Give what was opened the order's levels; in FIFO they hold for all of the symbol.

    There a level of one position alone would close it before an older one. What its client has
    amended since the order was submitted stays as it was amended (decision 083).
    """
    if account.group.position_mode is not PositionMode.FIFO:
        levels = order.stop_loss, order.take_profit
        covered = [opened]
    else:
        covered = account.positions[order.instrument.symbol]
        _stand_under(desk, covered[0], opened)
        levels = (
            covered[0].stop_loss if order.stop_loss is None else order.stop_loss,
            covered[0].take_profit if order.take_profit is None else order.take_profit,
        )
    if opened.amended_by is not None and order.id < opened.amended_by:
        return
    for position in covered:
        before = position.stop_loss, position.take_profit
        if levels[0] is not None:
            position.stop_loss = levels[0]
        if levels[1] is not None:
            position.take_profit = levels[1]
        if (position.stop_loss, position.take_profit) != before:
            desk.changes.positions[position.id] = position


def _stand_under(desk: Desk, oldest: PositionState, opened: PositionState) -> None:
    """Let what was opened in FIFO stand under the amendment of the symbol, if there was one."""
    if oldest.amended_by is not None and opened is not oldest:
        opened.amended_by = oldest.amended_by
        opened.stop_loss, opened.take_profit = oldest.stop_loss, oldest.take_profit
        desk.changes.amended[opened.id] = opened


def new_position(account: AccountState, order: OrderState, price: Decimal) -> PositionState:
    """Return the position that an order opens at a price, before anything is in it."""
    return PositionState(
        id=new_id_text(),
        account_id=account.id,
        instrument=order.instrument,
        mode=account.group.position_mode,
        quantity=_NOTHING,
        average_price=price,
        realised_pnl=_NOTHING,
        stop_loss=None,
        take_profit=None,
        version=0,
        version_read=0,
    )


def _book_trade(
    desk: Desk,
    account: AccountState,
    position: PositionState,
    cause: Cause,
    done: tuple[str, Decimal, Decimal, Decimal, Decimal, Decimal],
) -> str:
    """Write a trade and its commission; return the trade's id.

    `done` is what the trade did: effect, signed quantity, price, conversion rate, result and
    commission.
    """
    effect, quantity, price, rate, pnl, fee = done
    trade_id = new_id_text()
    position.version += 1
    desk.changes.positions[position.id] = position
    desk.changes.trades.append(
        (
            position.id,
            trade_id,
            account.id,
            cause[0],
            position.version,
            effect,
            quantity,
            price,
            rate,
            pnl,
            fee,
            position.quantity,
            position.average_price,
            position.realised_pnl,
            cause[1],
        )
    )
    if position.opening_rate is not None and position.quantity:
        desk.changes.opening_rates.append((position.id, position.version, position.opening_rate))
    if fee:
        desk.journal.give(
            account.holder,
            fee,
            transaction_id=trade_id,
            operation="commission",
            sink=desk.house[account.profile.currency][HouseCode.FEES],
        )
    return trade_id


def _required_rate(desk: Desk, source: str, target: str) -> Rate:
    rate = desk.market.last_rate(source, target)
    if rate is None:
        raise StateError(
            ErrorCode.ORDER_RATE_MISSING,
            f"no rate from {source} to {target} is known",
            why="No tradable pair has led from one to the other since the engine started.",
            hint="Wait for quotes of a pair between them, then book again.",
        )
    return rate
