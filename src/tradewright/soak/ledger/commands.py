"""What the sessions of a soak ask for: an endless stream of commands, the same for the same seed.

A command never depends on what became of earlier ones. Where it needs one (a hold to release, a
movement to reverse, a call to repeat) it names the number of that command; whether there is
anything to release is found out when it is performed. Read `performing` next.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from random import Random
from uuid import UUID

WALLET_CURRENCIES = ("USD", "EUR", "JPY")
ACCOUNT_CURRENCY = "USD"
PURPOSES = ("order", "withdrawal", "dispute", "unconfirmed")
BATCH_MAX = 8
LOOK_BACK_MAX = 40
"""How far back a command refers to earlier ones: hot, so that most are still open."""


class Kind(StrEnum):
    """The kinds of work; from the groups on, they need something that was asked for before."""

    CREDIT = "credit"
    DEBIT = "debit"
    RESERVE = "reserve"
    TO_ACCOUNT = "to_account"
    TO_WALLET = "to_wallet"
    EXPIRE = "expire"
    BATCH = "batch"
    EXCHANGE = "exchange"
    FREEZE = "freeze"
    ACTIVATE = "activate"
    RELEASE_GROUP = "release_group"
    CAPTURE_GROUP = "capture_group"
    RELEASE = "release"
    CAPTURE = "capture"
    REVERSE = "reverse"
    REPEAT = "repeat"
    CONTRADICT = "contradict"


WEIGHTS: Mapping[Kind, int] = {
    Kind.CREDIT: 14,
    Kind.DEBIT: 10,
    Kind.RESERVE: 16,
    Kind.TO_ACCOUNT: 6,
    Kind.TO_WALLET: 6,
    Kind.EXPIRE: 1,
    Kind.BATCH: 6,
    Kind.EXCHANGE: 6,
    Kind.FREEZE: 1,
    Kind.ACTIVATE: 4,
    Kind.RELEASE_GROUP: 3,
    Kind.CAPTURE_GROUP: 3,
    Kind.RELEASE: 10,
    Kind.CAPTURE: 10,
    Kind.REVERSE: 5,
    Kind.REPEAT: 6,
    Kind.CONTRADICT: 3,
}
"""How often each kind is drawn, in parts of the sum."""

REFERRING: Mapping[Kind, frozenset[Kind]] = {
    Kind.RELEASE_GROUP: frozenset({Kind.RESERVE}),
    Kind.CAPTURE_GROUP: frozenset({Kind.RESERVE}),
    Kind.RELEASE: frozenset({Kind.RESERVE}),
    Kind.CAPTURE: frozenset({Kind.RESERVE}),
    Kind.REVERSE: frozenset({Kind.CREDIT, Kind.DEBIT, Kind.CAPTURE}),
    Kind.REPEAT: frozenset(
        {
            *(Kind.CREDIT, Kind.DEBIT, Kind.RESERVE, Kind.RELEASE, Kind.CAPTURE, Kind.REVERSE),
            *(Kind.TO_ACCOUNT, Kind.TO_WALLET, Kind.EXCHANGE),
        }
    ),
    Kind.CONTRADICT: frozenset({Kind.CREDIT, Kind.DEBIT, Kind.RESERVE}),
}
"""Which kinds of earlier commands a kind may refer to."""

GROUPS = frozenset({Kind.RELEASE_GROUP, Kind.CAPTURE_GROUP})
GROUP_MAX = 4


@dataclass(frozen=True, slots=True)
class Move:
    """One movement of a batch, between a user's wallet and the house, another wallet or account."""

    key: str
    giver: int
    receiver: int
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Command:
    """One thing to ask the ledger for; `user` is a place in the cast.

    `target` is the number of the earlier command that it refers to. Without `amount`, a release,
    capture or reversal takes all that is left. `group` are the numbers of the reserves whose holds
    a group ends; `into` is the currency that an exchange receives.
    """

    number: int
    kind: Kind
    key: str
    user: int
    currency: str
    amount: Decimal | None
    target: int | None = None
    purpose: str = ""
    expires_in_ms: int | None = None
    moves: tuple[Move, ...] = ()
    group: tuple[int, ...] = ()
    into: str = ""


class CommandStream:
    """Draws the commands of one session; `users` is how many there are in the cast."""

    def __init__(self, seed: int, session: int, users: int) -> None:
        self._random = Random(f"{seed}/{session}")  # noqa: S311 (a load, not a secret)
        self._users = users
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
        return self._random.choice(fit) if fit else None

    def _draw(self, kind: Kind, target: Command | None) -> Command:
        random = self._random
        currency = target.currency if target else self._currency(kind)
        is_whole = kind in {Kind.RELEASE, Kind.CAPTURE, Kind.REVERSE} and random.random() < 1 / 2
        return Command(
            number=len(self._drawn),
            kind=kind,
            key=self._key(),
            user=target.user if target else random.randrange(self._users),
            currency=currency,
            amount=None if is_whole else self._amount(currency),
            target=target.number if target else None,
            purpose=random.choice(PURPOSES),
            expires_in_ms=random.randint(20, 2_000) if random.random() < 1 / 5 else None,
            moves=self._moves() if kind is Kind.BATCH else (),
            group=self._group() if kind in GROUPS else (),
            into=random.choice([c for c in WALLET_CURRENCIES if c != currency]),
        )

    def _group(self) -> tuple[int, ...]:
        """Draw some of the latest reserves, of any users."""
        fit = [c.number for c in self._drawn[-LOOK_BACK_MAX:] if c.kind is Kind.RESERVE]
        return tuple(self._random.sample(fit, min(len(fit), self._random.randint(2, GROUP_MAX))))

    def _currency(self, kind: Kind) -> str:
        if kind in {Kind.TO_ACCOUNT, Kind.TO_WALLET, Kind.BATCH}:
            return ACCOUNT_CURRENCY
        return self._random.choice(WALLET_CURRENCIES)

    def _moves(self) -> tuple[Move, ...]:
        """Draw movements among all USD holders: wallets, then accounts, then the house (last)."""
        random, places = self._random, 2 * self._users + 1
        return tuple(
            Move(
                self._key(),
                random.randrange(places),
                random.randrange(places),
                self._amount(ACCOUNT_CURRENCY),
            )
            for _ in range(random.randint(1, BATCH_MAX))
        )

    def _amount(self, currency: str) -> Decimal:
        units = self._random.choice((self._random.randint(1, 500), self._random.randint(1, 20_000)))
        return Decimal(units) if currency == "JPY" else Decimal(units) / 100

    def _key(self) -> str:
        return str(UUID(int=self._random.getrandbits(128), version=4))
