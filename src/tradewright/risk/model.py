"""Values of risk: who the client is, and what an order would do."""

from collections.abc import Callable
from decimal import Decimal
from enum import StrEnum

from msgspec import Struct

from tradewright.liquidity.instrument import Instrument
from tradewright.liquidity.market import Rate
from tradewright.liquidity.model import Side
from tradewright.risk.breakers import Breaker
from tradewright.risk.halts import Halt
from tradewright.risk.limits import Denial, LimitFacts
from tradewright.risk.regimes import Regime

__all__ = [
    "ClientClass",
    "Denial",
    "HedgedMargin",
    "MarginPrice",
    "OrderFacts",
    "PendingMargin",
    "RiskProfile",
]


class ClientClass(StrEnum):
    """MiFID II class of a client; retail clients of ESMA's regime trade under its caps."""

    RETAIL = "retail"
    PROFESSIONAL = "professional"


class HedgedMargin(StrEnum):
    """What long and short positions side by side in one symbol bind: both, the larger, the rest."""

    SUM = "sum"
    LARGER_LEG = "larger_leg"
    NET = "net"


class MarginPrice(StrEnum):
    """What positions are worth for margin: what they are now, or what they were when opened."""

    CURRENT = "current"
    OPEN = "open"


class PendingMargin(StrEnum):
    """What orders that have not dealt bind: nothing, or the larger of a symbol's two sides."""

    NONE = "none"
    MAX_SIDE = "max_side"


class RiskProfile(Struct, frozen=True):
    """What margin depends on besides positions: class, leverage, levels in percent, paired legs.

    `regime` says whose minimum holds, by the account's group.
    `credit` is what the house lends for it: in equity, and never the client's (decision 048).
    """

    client_class: ClientClass
    currency: str
    leverage: int
    margin_call_level: Decimal
    stop_out_level: Decimal
    hedged_margin: HedgedMargin = HedgedMargin.SUM
    credit: Decimal = Decimal(0)
    regime: Regime = Regime.ESMA


class OrderFacts(Struct, frozen=True, kw_only=True):
    """All that the checks ask about one order, measured under the account's lock.

    `reduces` says that the order can only shrink the position. `reference_price` is what the order
    would deal at now; None when nothing is tradable. `closing_price` is what the position that it
    opens would be closed at then; None when the order rests. `rates` are the rates of the quote
    and base currencies to the account's; None when one is missing. `free_margin_after` computes
    the free margin that would be left, in the account's currency. `limited` is there when a limit
    applies to the order, `halt` and `breaker` when one stops it. `binds_at_rest` says that an order
    that is to rest may bind margin meanwhile.
    """

    account_is_active: bool
    instrument: Instrument
    is_in_session: bool
    side: Side
    quantity: Decimal
    reduces: bool
    is_resting: bool
    reference_price: Decimal | None
    stop_loss: Decimal | None
    take_profit: Decimal | None
    closing_price: Decimal | None = None
    rates: tuple[Rate, Rate] | None
    free_margin_after: Callable[[], Decimal]
    binds_at_rest: bool = False
    limited: LimitFacts | None = None
    halt: Halt | None = None
    breaker: Breaker | None = None

    @property
    def only_rests(self) -> bool:
        """Whether the order asks nothing of the account now: it rests, and binds nothing."""
        return self.is_resting and not self.binds_at_rest
