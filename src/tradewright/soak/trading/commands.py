"""What the clients of a soak ask the engines for: the same stream of commands for the same seed.

A command says what is drawn and nothing of what has come before: prices are distances from what
the market shows when it is sent, positions are picked among those that are open then, and where
it refers to an earlier command it names its number. `asking` makes of it what is sent.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from random import Random
from uuid import UUID

from tradewright.liquidity.model import Side
from tradewright.soak.trading.market import LISTED
from tradewright.trading.model import OrderType, TimeInForce, TrailingUnit

LOOK_BACK_MAX = 30
"""How far back a command refers to earlier ones: hot, so that most still live."""

QUANTITY_STEP = 1_000


class Kind(StrEnum):
    """The kinds of work."""

    SUBMIT = "submit"
    CANCEL = "cancel"
    REPLACE = "replace"
    CLOSE = "close"
    CLOSE_PART = "close_part"
    CLOSE_BY_ORDER = "close_by_order"
    CLOSE_BY = "close_by"
    AMEND = "amend"
    TO_ACCOUNT = "to_account"
    TO_WALLET = "to_wallet"
    REPEAT = "repeat"
    CONTRADICT = "contradict"


WEIGHTS: Mapping[Kind, int] = {
    Kind.SUBMIT: 54,
    Kind.CANCEL: 8,
    Kind.REPLACE: 9,
    Kind.CLOSE: 7,
    Kind.CLOSE_PART: 5,
    Kind.CLOSE_BY_ORDER: 4,
    Kind.CLOSE_BY: 4,
    Kind.AMEND: 6,
    Kind.TO_ACCOUNT: 8,
    Kind.TO_WALLET: 4,
    Kind.REPEAT: 6,
    Kind.CONTRADICT: 3,
}
"""How often each kind is drawn, in parts of the sum."""

_KEYED = frozenset(
    {
        *(Kind.SUBMIT, Kind.REPLACE, Kind.CLOSE, Kind.CLOSE_PART, Kind.CLOSE_BY_ORDER),
        *(Kind.CLOSE_BY, Kind.AMEND, Kind.TO_ACCOUNT, Kind.TO_WALLET),
    }
)

REFERRING: Mapping[Kind, frozenset[Kind]] = {
    Kind.CANCEL: frozenset({Kind.SUBMIT}),
    Kind.REPLACE: frozenset({Kind.SUBMIT}),
    Kind.REPEAT: _KEYED,
    Kind.CONTRADICT: frozenset(
        {
            *(Kind.SUBMIT, Kind.REPLACE, Kind.CLOSE_BY, Kind.AMEND),
            *(Kind.TO_ACCOUNT, Kind.TO_WALLET),
        }
    ),
}
"""Which kinds of earlier commands a kind may refer to."""

_RESTING = (TimeInForce.GTC, TimeInForce.DAY, TimeInForce.GTD)

_LIFE: Mapping[OrderType, tuple[TimeInForce, ...]] = {
    OrderType.MARKET: (TimeInForce.IOC, TimeInForce.IOC, TimeInForce.FOK),
    OrderType.LIMIT: tuple(TimeInForce),
    OrderType.STOP: _RESTING,
    OrderType.STOP_LIMIT: _RESTING,
    OrderType.TRAILING_STOP: _RESTING,
    OrderType.TAKE_PROFIT: _RESTING,
}
"""The times in force that go with each type of order, those of more weight named twice."""

_TYPE_WEIGHTS = (8, 8, 4, 3, 3, 3)
"""How often each type is drawn, in the order of `_LIFE`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """An order as it is drawn; prices are distances in ticks, dates seconds of the market.

    `distance` is from the price that the order would deal at, positive away from the market;
    the alternatives of a client share a group for a few commands;
    `trailing` how far a trailing stop stays behind, in ticks or tenths of a basis point.
    """

    symbol: str
    side: Side
    quantity: Decimal
    order_type: OrderType
    time_in_force: TimeInForce
    distance: int
    trailing: tuple[int, TrailingUnit]
    stop_loss: int | None
    take_profit: int | None
    is_reduce_only: bool
    is_post_only: bool
    oco_group: str | None
    lives_for: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One thing to ask for; `account` is a place in the cast, `pick` chooses among positions.

    `share` is how many hundredths of a position are closed; `target` the number of the earlier
    command that it refers to.
    """

    number: int
    kind: Kind
    key: str
    account: int
    pick: int
    share: int
    amount: Decimal
    wish: Wish
    target: int | None = None


class CommandStream:
    """Draws the commands of one client; `accounts` is how many there are in the cast."""

    def __init__(self, seed: int, session: int, accounts: int) -> None:
        self._random = Random(f"{seed}/{session}")  # noqa: S311 (a load, not a secret)
        self._session = session
        self._accounts = accounts
        self._drawn: list[Command] = []

    def __iter__(self) -> Iterator[Command]:
        while True:
            kind = self._random.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
            target = self._target(kind)
            if kind in REFERRING and target is None:
                continue
            command = self._draw(kind, target)
            self._drawn.append(command)
            yield command

    def _target(self, kind: Kind) -> Command | None:
        wanted = REFERRING.get(kind, frozenset())
        fit = [earlier for earlier in self._drawn[-LOOK_BACK_MAX:] if earlier.kind in wanted]
        if kind is Kind.REPLACE:
            fit = [earlier for earlier in fit if earlier.wish.time_in_force.may_rest]
        return self._random.choice(fit) if fit else None

    def _draw(self, kind: Kind, target: Command | None) -> Command:
        random = self._random
        return Command(
            number=len(self._drawn),
            kind=kind,
            key=str(UUID(int=random.getrandbits(128), version=4)),
            account=target.account if target else random.randrange(self._accounts),
            pick=random.getrandbits(16),
            share=random.randint(1, 99),
            amount=Decimal(random.randint(1, 40_000)) / 100,
            wish=self._wish(),
            target=target.number if target else None,
        )

    def _group(self) -> str:
        """Return the group of the alternatives of now: another one every fifty commands."""
        return f"oco-{self._session}-{len(self._drawn) // 50}"

    def _wish(self) -> Wish:
        random = self._random
        order_type = random.choices(list(_LIFE), _TYPE_WEIGHTS)[0]
        time_in_force = random.choice(_LIFE[order_type])
        may_be_passive = order_type is OrderType.LIMIT and time_in_force.may_rest
        return Wish(
            symbol=random.choice(LISTED).symbol,
            side=random.choice(list(Side)),
            quantity=Decimal(QUANTITY_STEP * random.choice((1, 5, random.randint(1, 400)))),
            order_type=order_type,
            time_in_force=time_in_force,
            distance=random.randint(-15, 40),
            trailing=(random.randint(5, 40), random.choice(list(TrailingUnit))),
            stop_loss=random.randint(8, 60) if random.random() < 1 / 3 else None,
            take_profit=random.randint(8, 60) if random.random() < 1 / 3 else None,
            is_reduce_only=random.random() < 1 / 6,
            is_post_only=may_be_passive and random.random() < 1 / 5,
            oco_group=self._group() if random.random() < 1 / 6 else None,
            lives_for=random.randint(5, 600),
        )
