"""What the clients of a house ask for: the same stream of commands for the same seed.

A command says what is drawn. Where it refers to what the client has (a position, an order that
rests, an earlier command), it says how to pick, and `asking` picks among what there is by then.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from random import Random
from uuid import UUID

from tradewright.liquidity.model import Side

PRICES: Mapping[str, tuple[str, str]] = {
    "EURUSD": ("1.10000", "1.10010"),
    "GBPUSD": ("1.25000", "1.25012"),
}
"""What the provider quotes, bid and ask, as its command takes them."""

REST_AWAY = Decimal("0.01")
"""How far from the market an order rests, as a share of the price: it is never dealt."""

QUANTITY_STEP = 1_000
_QUANTITY_STEPS_MAX = 40
_CENTS_MAX = 2_000


class Kind(StrEnum):
    """The kinds of work."""

    ORDER = "order"
    REST = "rest"
    REPLACE = "replace"
    CANCEL = "cancel"
    CLOSE = "close"
    TO_ACCOUNT = "to_account"
    TO_WALLET = "to_wallet"
    WITHDRAW = "withdraw"
    REPEAT = "repeat"
    CONTRADICT = "contradict"


WEIGHTS: Mapping[Kind, int] = {
    Kind.ORDER: 40,
    Kind.REST: 10,
    Kind.REPLACE: 6,
    Kind.CANCEL: 6,
    Kind.CLOSE: 14,
    Kind.TO_ACCOUNT: 8,
    Kind.TO_WALLET: 6,
    Kind.WITHDRAW: 2,
    Kind.REPEAT: 6,
    Kind.CONTRADICT: 2,
}
"""How often each kind is drawn, in parts of the sum."""


@dataclass(frozen=True, slots=True)
class Command:
    """One command as it was drawn; `pick` picks whatever it refers to."""

    number: int
    kind: Kind
    seat: int
    key: str
    symbol: str
    side: Side
    quantity: Decimal
    amount: Decimal
    pick: int


class CommandStream:
    """The commands of one client, without an end."""

    def __init__(self, seed: int, client: int, seats: int) -> None:
        self._random = Random(f"{seed}/house/{client}")  # noqa: S311 (a load, not a secret)
        self._seats = seats

    def __iter__(self) -> Iterator[Command]:
        """Draw commands for ever."""
        random, number = self._random, 0
        while True:
            yield Command(
                number=number,
                kind=random.choices(list(WEIGHTS), list(WEIGHTS.values()))[0],
                seat=random.randrange(self._seats),
                key=str(UUID(int=random.getrandbits(128), version=4)),
                symbol=random.choice(list(PRICES)),
                side=random.choice(list(Side)),
                quantity=Decimal(QUANTITY_STEP * random.randint(1, _QUANTITY_STEPS_MAX)),
                amount=Decimal(random.randint(1, _CENTS_MAX)).scaleb(-2),
                pick=random.getrandbits(30),
            )
            number += 1
