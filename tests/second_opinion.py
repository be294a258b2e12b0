"""A second opinion on the checks before a trade: what domain rule 1.8 says, in fractions.

It shares no arithmetic with the engine: it deals the order on a copy of the book, values that, and
goes through the rules in their order. Prices, conversions and margins are its own.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal, localcontext
from fractions import Fraction
from itertools import pairwise
from statistics import median

from tradewright.core.errors import ErrorCode
from tradewright.liquidity.instrument import Instrument
from tradewright.risk.limits import LimitKind
from tradewright.risk.model import ClientClass, HedgedMargin
from tradewright.risk.regimes import Regime
from tradewright.trading.groups import PositionMode

QUOTES = {"EURGBP": ("0.87", "0.88"), "EURUSD": ("1.1", "1.2"), "GBPUSD": ("1.3", "1.4")}
SIDES = {symbol: (Fraction(bid), Fraction(ask)) for symbol, (bid, ask) in QUOTES.items()}
WORTH = {"EUR": SIDES["EURUSD"], "GBP": SIDES["GBPUSD"], "USD": (Fraction(1), Fraction(1))}
RETAIL_LEVERAGE = 30
"""ESMA: thirty to one for pairs of major currencies."""

CODES = {
    LimitKind.PRICE_COLLAR: ErrorCode.ORDER_PRICE_OUTSIDE_COLLAR,
    LimitKind.ORDER_QUANTITY: ErrorCode.ORDER_QUANTITY_OUT_OF_RANGE,
    LimitKind.ORDER_VALUE: ErrorCode.ORDER_VALUE_EXCEEDED,
    LimitKind.ORDER_SIZE: ErrorCode.ORDER_SIZE_UNUSUAL,
    LimitKind.OPEN_ORDERS: ErrorCode.ORDER_COUNT_EXCEEDED,
    LimitKind.OPEN_POSITIONS: ErrorCode.POSITION_COUNT_EXCEEDED,
    LimitKind.SYMBOL_EXPOSURE: ErrorCode.ORDER_SYMBOL_EXPOSURE_EXCEEDED,
    LimitKind.TOTAL_EXPOSURE: ErrorCode.ORDER_TOTAL_EXPOSURE_EXCEEDED,
    LimitKind.DAILY_LOSS: ErrorCode.ORDER_DAILY_LOSS_REACHED,
    LimitKind.DRAWDOWN: ErrorCode.ORDER_DRAWDOWN_REACHED,
    LimitKind.LEVERAGE: ErrorCode.ORDER_LEVERAGE_EXCEEDED,
    LimitKind.MESSAGE_RATE: ErrorCode.ORDER_MESSAGE_RATE_EXCEEDED,
    LimitKind.NET_OPEN_POSITION: ErrorCode.ORDER_CREDIT_EXCEEDED,
}
MONEY = {
    LimitKind.ORDER_VALUE,
    LimitKind.SYMBOL_EXPOSURE,
    LimitKind.TOTAL_EXPOSURE,
    LimitKind.DAILY_LOSS,
    LimitKind.DRAWDOWN,
    LimitKind.NET_OPEN_POSITION,
}
EVEN_WHEN_REDUCING = {LimitKind.PRICE_COLLAR, LimitKind.OPEN_ORDERS}
NOT_AT_REST = {
    LimitKind.OPEN_POSITIONS,
    LimitKind.SYMBOL_EXPOSURE,
    LimitKind.TOTAL_EXPOSURE,
    LimitKind.LEVERAGE,
    LimitKind.NET_OPEN_POSITION,
}


@dataclass(frozen=True)
class Lot:
    """A position: signed thousands, price, and what a unit of base was worth when it was opened."""

    symbol: str
    thousands: int
    price: Decimal
    opened: Decimal | None = None

    @property
    def quantity(self) -> Fraction:
        """Return the signed quantity in units."""
        return Fraction(self.thousands * 1000)


@dataclass(frozen=True)
class Case:
    """An account, its book and one order; `limit_price` is there where the order is to rest."""

    mode: PositionMode
    rule: HedgedMargin
    regime: Regime
    client_class: ClientClass
    is_at_open: bool
    leverage: int
    instruments: dict[str, Instrument]
    lots: list[Lot]
    balance: Decimal
    credit: Decimal
    symbol: str
    thousands: int
    limit_price: Decimal | None
    stop_loss: Decimal | None
    is_active: bool = True
    is_halted: bool = False
    is_broken: bool = False
    is_tradable: bool = True
    before: tuple[int, ...] = ()
    messages: int = 0
    lost: Decimal = Decimal(0)
    fallen: Decimal = Decimal(0)

    @property
    def book(self) -> list[Lot]:
        """Return what the mode can hold: in netting one lot of a symbol, in FIFO one side."""
        if self.mode is PositionMode.HEDGING:
            return self.lots
        kept: dict[str, list[Lot]] = {}
        for lot in self.lots:
            held = kept.setdefault(lot.symbol, [])
            room = not held or (
                self.mode is PositionMode.FIFO and held[0].thousands * lot.thousands > 0
            )
            if room:
                held.append(lot)
        return [lot for held in kept.values() for lot in held]

    @property
    def dealt_at(self) -> Fraction:
        """Return the order's own price while it rests, else that of its side of the market."""
        if self.limit_price is not None:
            return Fraction(self.limit_price)
        return SIDES[self.symbol][self.thousands > 0]


def mid(prices: tuple[Fraction, Fraction]) -> Fraction:
    return sum(prices, Fraction(0)) / 2


def in_dollars(amount: Fraction, currency: str) -> Fraction:
    """Convert a result: a profit at the bid, a loss at the ask."""
    return amount * WORTH[currency][amount < 0]


def share(case: Case, symbol: str) -> Fraction:
    """Return what of a first unit is bound."""
    own = case.instruments[symbol].margin
    is_retail = case.client_class is ClientClass.RETAIL and case.regime is Regime.ESMA
    wanted = [Fraction(1, min(case.leverage, RETAIL_LEVERAGE if is_retail else 500))]
    wanted += [Fraction(own.rate)] if own else []
    wanted += [Fraction(own.rate_min_retail)] if own and is_retail else []
    wanted += [Fraction(2, 100)] if case.regime is Regime.US else []
    return max(wanted)


def bracketed(case: Case, symbol: str, begin: Fraction, end: Fraction) -> Fraction:
    """Return what the units from one to another bind of themselves, piece by piece."""
    own = case.instruments[symbol].margin
    tiers = [(Fraction(one.above), Fraction(one.rate)) for one in own.tiers] if own else []
    edges = sorted({begin, end, *(edge for edge, _ in tiers if begin < edge < end)})
    bound = Fraction(0)
    for lower, upper in pairwise(edges):
        rates = [share(case, symbol), *(rate for edge, rate in tiers if edge < upper)]
        bound += (upper - lower) * max(rates)
    return bound


def used_margin(case: Case, book: list[Lot]) -> Fraction:
    """Return what a book binds."""
    legs: dict[str, dict[bool, list[Fraction]]] = {}
    for lot in book:
        worth = mid(WORTH[lot.symbol[:3]])
        leg = legs.setdefault(lot.symbol, {}).setdefault(lot.thousands > 0, [Fraction(0)] * 2)
        begin, end = leg[0], leg[0] + abs(lot.quantity)
        rate = worth if lot.opened is None else Fraction(lot.opened)
        binds = bracketed(case, lot.symbol, begin, end) * rate
        if lot.opened is not None and case.regime is Regime.US:
            own = case.instruments[lot.symbol].margin
            least = max(Fraction(2, 100), Fraction(own.rate) if own else Fraction(0))
            binds = max(binds, abs(lot.quantity) * worth * least)
        leg[0], leg[1] = end, leg[1] + binds
    return sum((paired(case, symbol, sides) for symbol, sides in legs.items()), Fraction(0))


def paired(case: Case, symbol: str, sides: dict[bool, list[Fraction]]) -> Fraction:
    margins = [leg[1] for leg in sides.values()]
    if case.rule is HedgedMargin.SUM or len(sides) == 1:
        return sum(margins, Fraction(0))
    if case.rule is HedgedMargin.LARGER_LEG:
        return max(margins)
    left = abs(sides[True][0] - sides[False][0])
    return bracketed(case, symbol, Fraction(0), left) * mid(WORTH[symbol[:3]])


def unrealised(book: list[Lot]) -> Fraction:
    """Return what closing everything now would bring: longs at the bid, shorts at the ask."""
    total = Fraction(0)
    for lot in book:
        closing = SIDES[lot.symbol][lot.thousands < 0]
        total += in_dollars((closing - Fraction(lot.price)) * lot.quantity, lot.symbol[3:])
    return total


def deal(case: Case) -> tuple[list[Lot], Fraction, bool]:
    """Return the book after the order, what that has realised, and whether it only closes."""
    rest, after, realised = case.thousands, [], Fraction(0)
    closes = case.mode is not PositionMode.HEDGING
    for held in case.book:
        lot = held
        if closes and lot.symbol == case.symbol and rest * lot.thousands < 0:
            part = min(abs(rest), abs(lot.thousands)) * (1 if rest > 0 else -1)
            gain = (Fraction(lot.price) - case.dealt_at) * part * 1000
            realised += in_dollars(gain, lot.symbol[3:])
            rest -= part
            lot = replace(lot, thousands=lot.thousands + part)
        after += [lot] if lot.thousands else []
    if rest:
        worth = decimal(case.dealt_at * mid(WORTH[case.symbol[3:]])) if case.is_at_open else None
        after = joined(case, after, Lot(case.symbol, rest, decimal(case.dealt_at), worth))
    return after, realised, not rest


def joined(case: Case, book: list[Lot], new: Lot) -> list[Lot]:
    """Add what was opened: in netting to what is there, else as a position of its own."""
    if case.mode is not PositionMode.NETTING:
        return [*book, new]
    same = [lot for lot in book if lot.symbol == new.symbol]
    others = [lot for lot in book if lot.symbol != new.symbol]
    for lot in same:
        worth = None
        if lot.opened is not None and new.opened is not None:
            worth = weighted((lot.opened, lot.thousands), (new.opened, new.thousands))
        price = weighted((lot.price, lot.thousands), (new.price, new.thousands))
        new = Lot(new.symbol, lot.thousands + new.thousands, price, worth)
    return [*others, new]


def weighted(*parts: tuple[Decimal, int]) -> Decimal:
    total = sum((Fraction(figure) * weight for figure, weight in parts), Fraction(0))
    return decimal(total / sum(weight for _, weight in parts))


def decimal(number: Fraction) -> Decimal:
    with localcontext(prec=60):
        return Decimal(number.numerator) / number.denominator


def nets(book: list[Lot]) -> dict[str, Fraction]:
    quantities: dict[str, Fraction] = {}
    for lot in book:
        quantities[lot.symbol] = quantities.get(lot.symbol, Fraction(0)) + lot.quantity
    return quantities


def measure(case: Case, kind: LimitKind) -> Fraction:
    """Return what the order comes to of what is limited."""
    return (of_order(case) | of_past(case) | of_book(case))[kind]


def of_order(case: Case) -> dict[LimitKind, Fraction]:
    """Return what an order is by itself."""
    quantity, price = abs(Fraction(case.thousands * 1000)), case.dealt_at
    middle = mid(SIDES[case.symbol])
    return {
        LimitKind.PRICE_COLLAR: abs(price - middle) / middle * 10_000,
        LimitKind.ORDER_QUANTITY: quantity,
        LimitKind.ORDER_VALUE: quantity * price * mid(WORTH[case.symbol[3:]]),
    }


def of_past(case: Case) -> dict[LimitKind, Fraction]:
    """Return what an order is beside the account's past; nothing rests but the order itself."""
    usual = Fraction(median(case.before) * 1000) if len(case.before) >= 10 else None
    open_now = unrealised(case.book)
    return {
        LimitKind.ORDER_SIZE: abs(case.thousands * 1000) / usual if usual else Fraction(0),
        LimitKind.OPEN_ORDERS: Fraction(int(case.limit_price is not None)),
        LimitKind.DAILY_LOSS: max(Fraction(0), Fraction(case.lost) - open_now),
        LimitKind.DRAWDOWN: max(Fraction(0), Fraction(case.fallen) - open_now),
        LimitKind.MESSAGE_RATE: Fraction(case.messages + 1),
    }


def of_book(case: Case) -> dict[LimitKind, Fraction]:
    """Return what the book is after an order."""
    after, _, _ = deal(case)
    exposures = {symbol: abs(net) * mid(WORTH[symbol[:3]]) for symbol, net in nets(after).items()}
    total = sum(exposures.values(), Fraction(0))
    equity = Fraction(case.balance) + Fraction(case.credit) + unrealised(case.book)
    return {
        LimitKind.OPEN_POSITIONS: Fraction(len(after)),
        LimitKind.SYMBOL_EXPOSURE: exposures.get(case.symbol, Fraction(0)),
        LimitKind.TOTAL_EXPOSURE: total,
        LimitKind.LEVERAGE: total / max(equity, Fraction(1, 100)),
        LimitKind.NET_OPEN_POSITION: shorthand(after),
    }


def shorthand(book: list[Lot]) -> Fraction:
    """Return the larger of all long and all short foreign currencies (Basel MAR40)."""
    held: dict[str, Fraction] = {}
    for symbol, net in nets(book).items():
        held[symbol[:3]] = held.get(symbol[:3], Fraction(0)) + net
        held[symbol[3:]] = held.get(symbol[3:], Fraction(0)) - net * mid(SIDES[symbol])
    worths = [net * mid(WORTH[currency]) for currency, net in held.items() if currency != "USD"]
    return max(
        sum((one for one in worths if one > 0), Fraction(0)),
        -sum((one for one in worths if one < 0), Fraction(0)),
    )


def free_after(case: Case) -> Fraction:
    after, realised, _ = deal(case)
    equity = Fraction(case.balance) + Fraction(case.credit) + realised + unrealised(after)
    return equity - used_margin(case, after)


def is_asked(case: Case, kind: LimitKind) -> bool:
    """Return whether a limit of a kind holds for the order: most let pass what only reduces."""
    if deal(case)[2] and kind not in EVEN_WHEN_REDUCING:
        return False
    return case.limit_price is None or kind not in NOT_AT_REST


def opinions(case: Case, limits: dict[LimitKind, Decimal]) -> Iterator[ErrorCode | None]:
    """Give the denials of rule 1.8 in its order; None where a rule lets the order pass."""
    reduces, rests = deal(case)[2], case.limit_price is not None

    def limited(*kinds: LimitKind) -> Iterator[ErrorCode | None]:
        for kind in kinds:
            if kind in limits and is_asked(case, kind):
                yield CODES[kind] if measure(case, kind) > Fraction(limits[kind]) else None

    def unless_reducing(denies: bool, code: ErrorCode) -> ErrorCode | None:
        return code if denies and not reduces else None

    yield unless_reducing(not case.is_active, ErrorCode.ACCOUNT_NOT_ACTIVE)
    yield unless_reducing(case.is_halted, ErrorCode.TRADING_HALTED)
    yield unless_reducing(not case.is_tradable, ErrorCode.INSTRUMENT_NOT_TRADABLE)
    if case.stop_loss is not None:
        stands_by = case.dealt_at if rests else SIDES[case.symbol][case.thousands < 0]
        away = (Fraction(case.stop_loss) - stands_by) * (1 if case.thousands > 0 else -1)
        yield ErrorCode.ORDER_PROTECTION_ON_WRONG_SIDE if away >= 0 else None
    yield from limited(LimitKind.PRICE_COLLAR)
    largest = Fraction(case.instruments[case.symbol].quantity_max)
    too_large = abs(Fraction(case.thousands * 1000)) > largest
    yield unless_reducing(too_large, ErrorCode.ORDER_QUANTITY_OUT_OF_RANGE)
    yield from limited(
        LimitKind.ORDER_QUANTITY,
        LimitKind.ORDER_VALUE,
        LimitKind.ORDER_SIZE,
        LimitKind.OPEN_ORDERS,
        LimitKind.OPEN_POSITIONS,
        LimitKind.SYMBOL_EXPOSURE,
        LimitKind.TOTAL_EXPOSURE,
        LimitKind.DAILY_LOSS,
        LimitKind.DRAWDOWN,
        LimitKind.LEVERAGE,
    )
    if not rests:
        yield unless_reducing(free_after(case) < 0, ErrorCode.ORDER_MARGIN_INSUFFICIENT)
    yield unless_reducing(case.is_broken, ErrorCode.BREAKER_TRIGGERED)
    yield from limited(LimitKind.MESSAGE_RATE, LimitKind.NET_OPEN_POSITION)
