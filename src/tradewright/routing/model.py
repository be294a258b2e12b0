"""Values of routing: books, what decides between them, what an order brings, what is decided.

A share is a whole number of percent for the providers (book A); what is left of 100 is the
house's (book B). Quantities are units of the base currency; exposures are signed, long above zero.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from enum import StrEnum

from msgspec import Struct

from tradewright.liquidity.instrument import Instrument
from tradewright.liquidity.model import Side
from tradewright.risk.model import ClientClass


class Book(StrEnum):
    """A: passed on to providers; B: the house is the counterparty; hybrid: decided per order."""

    A = "A"
    B = "B"
    HYBRID = "hybrid"


class Reason(StrEnum):
    """Why an order was divided as it was, in order of precedence."""

    HALT = "halt"
    MANUAL = "manual"
    RULE = "rule"
    REDUCES_EXPOSURE = "reduces_exposure"
    TOXICITY = "toxicity"
    SIZE = "size"
    EXPOSURE = "exposure"
    VOLATILITY = "volatility"
    DEFAULT = "default"
    EXPOSURE_LIMIT = "exposure_limit"


class Ramp(Struct, frozen=True):
    """A measure's demand: 0 % up to `start`, 100 % from `full`, in a straight line between."""

    start: Decimal
    full: Decimal


class Policy(Struct, frozen=True, kw_only=True):
    """What share of hybrid orders in one symbol is passed on; a ramp that is None asks nothing.

    Toxicity and volatility are in basis points, size and exposure in units of the base currency.
    What a client's markouts say of its toxicity is raised by up to `short_hold_bps` for positions
    held shortly, `win_bps` for trades that win, and `reject_prone_bps` for orders that come when
    providers reject (`profiles`).
    What would lift the house's exposure above `exposure_limit` is passed on whole; once it is
    above, by orders of other books, the house hedges down to `hedge_target`.
    """

    symbol: str
    default_percent: int = 0
    toxicity: Ramp | None = None
    short_hold_bps: Decimal = Decimal(1)
    win_bps: Decimal = Decimal(1)
    reject_prone_bps: Decimal = Decimal(1)
    size: Ramp | None = None
    exposure: Ramp | None = None
    volatility: Ramp | None = None
    exposure_limit: Decimal | None = None
    hedge_target: Decimal | None = None
    revision: int = 0


class Rule(Struct, frozen=True, kw_only=True):
    """What the dealers have laid down for orders that match; an empty condition matches all."""

    id: str
    priority: int
    a_percent: int
    symbol: str | None = None
    user_id: str | None = None
    client_class: ClientClass | None = None
    quantity_min: Decimal | None = None
    quantity_max: Decimal | None = None
    revision: int = 1


class OverrideKind(StrEnum):
    """halt: the house deals no hybrid order itself; manual: a dealer sets the share."""

    HALT = "halt"
    MANUAL = "manual"


class Override(Struct, frozen=True, kw_only=True):
    """What a dealer has ordered for now; an empty symbol or user means all of them."""

    id: str
    kind: OverrideKind
    a_percent: int
    symbol: str | None = None
    user_id: str | None = None


class Settings(Struct, frozen=True):
    """All that decides about hybrid orders: policies by symbol, rules in their order, overrides."""

    policies: Mapping[str, Policy]
    rules: Sequence[Rule]
    overrides: Sequence[Override]


NO_SETTINGS = Settings({}, (), ())


class OrderFacts(Struct, frozen=True, kw_only=True):
    """What is known of one order when its book is decided.

    `exposure` is the house's net position in the symbol before the order. `toxicity` and
    `volatility` are None while too little has been measured. An order that is not divisible
    (fill or kill) goes to one book whole.
    """

    instrument: Instrument
    side: Side
    quantity: Decimal
    is_divisible: bool
    user_id: str
    client_class: ClientClass
    exposure: Decimal
    toxicity: Decimal | None = None
    volatility: Decimal | None = None

    @property
    def projected(self) -> Decimal:
        """Return the house's exposure if it dealt the whole order itself: a buy makes it short."""
        return self.exposure - self.quantity * self.side.sign

    @property
    def reduces(self) -> bool:
        """Return whether dealing the whole order would bring the house nearer to flat."""
        return abs(self.projected) < abs(self.exposure)

    @property
    def turns(self) -> bool:
        """Return whether dealing the whole order would turn the house's exposure."""
        return self.projected * self.exposure < 0


class Decision(Struct, frozen=True, kw_only=True):
    """How an order is divided; the two quantities add up to the order's."""

    reason: Reason
    a_percent: int
    a_quantity: Decimal
    b_quantity: Decimal
    rule: Rule | None = None
    override: Override | None = None
    policy: Policy
