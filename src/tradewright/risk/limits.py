"""Limits: what an account may do at the most, for whom each holds, and what exceeds one.

A limit is measured for each account by itself; its scope says for whose orders it holds. All limits
that apply to an order hold together. Where none applies nothing is measured, and a check that asks
for one costs nothing. What is measured stands in `trading/limits`; the kinds and their units are
explained in docs/reference/checks.md.
"""

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from enum import StrEnum

from msgspec import Struct

from tradewright.core.errors import ErrorCode


class LimitKind(StrEnum):
    """What is limited. Money is in the limit's currency, the rest as said here."""

    PRICE_COLLAR = "price_collar"
    """Distance of the price from the middle, in basis points."""
    ORDER_QUANTITY = "order_quantity"
    """Units of the base currency in one order."""
    ORDER_VALUE = "order_value"
    """Money in one order."""
    ORDER_SIZE = "order_size"
    """The order as a multiple of the median of the account's last orders in the symbol."""
    OPEN_ORDERS = "open_orders"
    """Orders that rest."""
    OPEN_POSITIONS = "open_positions"
    """Positions that are open after the order."""
    SYMBOL_EXPOSURE = "symbol_exposure"
    """Money in the order's symbol after the order, long and short netted."""
    TOTAL_EXPOSURE = "total_exposure"
    """Money in all symbols after the order, each netted by itself."""
    DAILY_LOSS = "daily_loss"
    """Money lost since 17:00 in New York, realised and unrealised."""
    DRAWDOWN = "drawdown"
    """Money lost since the best moment of thirty days, realised and unrealised."""
    LEVERAGE = "leverage"
    """Total exposure after the order as a multiple of equity."""
    MESSAGE_RATE = "message_rate"
    """New orders in one second."""
    NET_OPEN_POSITION = "net_open_position"
    """Money that the account is long or short of over all currencies, whichever is more."""
    DENIAL_RATE = "denial_rate"
    """Orders that limits have denied in one minute: no order is denied by it, one more blocks."""


MONEY_KINDS = frozenset(
    {
        LimitKind.ORDER_VALUE,
        LimitKind.SYMBOL_EXPOSURE,
        LimitKind.TOTAL_EXPOSURE,
        LimitKind.DAILY_LOSS,
        LimitKind.DRAWDOWN,
        LimitKind.NET_OPEN_POSITION,
    }
)


class Scope(StrEnum):
    """For whose orders something holds."""

    ALL = "all"
    GROUP = "group"
    ACCOUNT = "account"
    INSTRUMENT = "instrument"


class Target(Struct, frozen=True):
    """A scope with what it names: a group's code, an account's id, a symbol; nothing for all."""

    scope: Scope = Scope.ALL
    name: str | None = None


class Limit(Struct, frozen=True, kw_only=True):
    """One limit; `currency` stands with money only."""

    id: str
    kind: LimitKind
    target: Target
    value: Decimal
    currency: str | None


Limits = Mapping[LimitKind, tuple[Limit, ...]]
"""The limits that apply to one order, by kind."""

NO_LIMITS: Limits = {}


def targets_of(account_id: str, group_code: str, symbol: str) -> tuple[Target, ...]:
    """Return every target under which an order falls."""
    return (
        Target(),
        Target(Scope.GROUP, group_code),
        Target(Scope.ACCOUNT, account_id),
        Target(Scope.INSTRUMENT, symbol),
    )


class LimitBook:
    """All limits that are set, found by what an order is about."""

    def __init__(self, limits: Iterable[Limit] = ()) -> None:
        self._by_target: dict[Target, list[Limit]] = {}
        for limit in limits:
            self._by_target.setdefault(limit.target, []).append(limit)

    def __bool__(self) -> bool:
        return bool(self._by_target)

    def of(self, account_id: str, group_code: str, symbol: str) -> Limits:
        """Return the limits that apply to an order of an account of a group in a symbol."""
        if not self._by_target:
            return NO_LIMITS
        found: dict[LimitKind, tuple[Limit, ...]] = {}
        for target in targets_of(account_id, group_code, symbol):
            for limit in self._by_target.get(target, ()):
                found[limit.kind] = (*found.get(limit.kind, ()), limit)
        return found


class LimitFacts(Struct, frozen=True, kw_only=True):
    """What the checks ask about an order that some limit applies to.

    `measure` gives what the order would make of a kind, in the account's currency where it is
    money, and `value_of` a limit in the same unit; both give None when a price or rate is missing.
    `is_new` says that the order, or new terms for it, has just arrived, rather than been triggered.
    """

    limits: Limits
    is_new: bool
    measure: Callable[[LimitKind], Decimal | None]
    value_of: Callable[[Limit], Decimal | None]


class Breach(Struct, frozen=True):
    """A limit, its value then in the account's currency, and what would have been."""

    limit_id: str
    value: Decimal
    measured: Decimal


class Denial(Struct, frozen=True):
    """Why the house does not take an order: a code for machines, figures for people."""

    code: ErrorCode
    why: str
    breach: Breach | None = None


def over_limit(
    limited: LimitFacts | None, kind: LimitKind, code: ErrorCode, what: str
) -> Denial | None:
    """Return the denial of the first limit of a kind that would be exceeded; `what` names it.

    What cannot be measured is denied too: no rate, no trade.
    """
    if limited is None or kind not in limited.limits:
        return None
    measured = limited.measure(kind)
    for limit in limited.limits[kind]:
        value = limited.value_of(limit)
        if measured is None or value is None:
            return Denial(code, f"{what} cannot be measured: a price or rate is missing.")
        if measured > value:
            why = f"{what} would be {_shown(measured)}, and {_shown(value)} is the most."
            return Denial(code, why, Breach(limit.id, value, measured))
    return None


def _shown(figure: Decimal) -> str:
    return f"{figure.quantize(Decimal('0.01')).normalize():f}"
