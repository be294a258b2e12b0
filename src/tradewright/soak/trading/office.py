"""The back office of a soak: providers bust executions or correct prices, and two people decide.

In a process of its own, beside the engines and under the same kills. What is drawn from the seed is
how far back the execution lies, whether it is busted or corrected, and by how much; what there is
to correct is what the soak has dealt by then. A decision whose answer was lost is made again, and
must be found made. A provider tells a bust as a gateway keeps it, so that it is there once.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from multiprocessing.connection import Connection
from random import Random
from uuid import UUID

import psycopg

from tradewright.core.clock import monotonic_seconds, pause
from tradewright.core.errors import ErrorCode, StateError
from tradewright.core.processes import serve_requests
from tradewright.postgres.connect import Session
from tradewright.postgres.queries import load_queries
from tradewright.postgres.refusals import is_connection_lost, is_retryable, translate
from tradewright.soak.reconnecting import connect_again
from tradewright.trading.corrections import Decision, Settlement, settle_correction

PAUSE_SECONDS = 0.15
LOOK_BACK_MAX = 40
"""How far back an execution may lie: hot, so that engines work on its position meanwhile."""

RESOLVE_SECONDS_MAX = 90

_BUSTS_OF_THREE = 2


class Told(StrEnum):
    """What a provider tells of an execution, as the database calls it."""

    BUST = "bust"
    CORRECTION = "correction"


_DECIDED = {Told.BUST: Settlement.REVERSED, Told.CORRECTION: Settlement.ADJUSTED}


@dataclass(frozen=True, slots=True)
class Word:
    """A bust or a correction as it is drawn: `back` executions ago, `ticks` from its price."""

    kind: Told
    key: str
    back: int
    ticks: int


@dataclass(slots=True)
class Ruling:
    """What became of one word of a provider.

    `word` is done, refused (with a code), skipped (there was no execution) or unresolved.
    `settlement` is what was decided in the end. `unknowns` counts how often the connection was lost
    over it, and `was_committed` says that the decision was found made.
    """

    kind: Told
    key: str
    word: str = "skipped"
    code: str = ""
    settlement: Settlement | None = None
    unknowns: int = 0
    was_committed: bool = False


@dataclass(frozen=True, slots=True)
class OfficeRecord:
    """What the office did."""

    rulings: list[Ruling]
    retries: int


def words(seed: int) -> Iterator[Word]:
    """Draw what providers tell: the same for the same seed."""
    random = Random(f"{seed}/office")  # noqa: S311 (a load, not a secret)
    while True:
        yield Word(
            kind=Told.BUST if random.randrange(3) < _BUSTS_OF_THREE else Told.CORRECTION,
            key=str(UUID(int=random.getrandbits(128), version=4)),
            back=random.randrange(LOOK_BACK_MAX),
            ticks=random.choice((-1, 1)) * random.randint(1, 30),
        )


@dataclass(slots=True)
class Office:
    """Takes providers' words one after the other, each until it is decided."""

    conninfo: str
    rulings: list[Ruling] = field(default_factory=list)
    retries: int = 0
    session: Session | None = None

    def take(self, word: Word) -> None:
        """Let a provider say it, and decide; again until it is known what was decided.

        Raises:
            TradewrightError: what no kill explains.

        """
        ruling = Ruling(word.kind, word.key, "unresolved")
        self.rulings.append(ruling)
        deadline = monotonic_seconds() + RESOLVE_SECONDS_MAX
        while ruling.word == "unresolved" and monotonic_seconds() < deadline:
            try:
                self.session = self.session or connect_again(self.conninfo)
                _rule(self.session, word, ruling)
            except psycopg.Error as error:
                self._failed(error, ruling)

    def close(self) -> None:
        """Close the session, if there is one."""
        if self.session is not None:
            self.session.close()
            self.session = None

    def _failed(self, error: psycopg.Error, ruling: Ruling) -> None:
        """Count a conflict or a lost session, and begin with a new one."""
        if is_retryable(error):
            self.retries += 1
        elif is_connection_lost(error):
            ruling.unknowns += 1
        else:
            raise translate(error) from error
        self.close()


def _rule(session: Session, word: Word, ruling: Ruling) -> None:
    """Keep the word, and decide about it; what cannot be booked is kept as it is."""
    correction_id = _keep(session, word)
    if correction_id is None:
        ruling.word = "skipped"
        return
    settlement = Settlement.KEPT if ruling.code else _DECIDED[word.kind]
    approver = None if ruling.code else "ben"
    decision = Decision(settlement, "anna", "the provider has said so", approver)
    try:
        with session.transaction():
            settle_correction(session, correction_id, decision)
    except StateError as error:
        if error.code is not ErrorCode.CORRECTION_SETTLED or not ruling.unknowns:
            _refuse(error, ruling)
            return
        ruling.was_committed = True
    ruling.word, ruling.settlement = "refused" if ruling.code else "done", settlement


def _refuse(error: StateError, ruling: Ruling) -> None:
    """Note why it cannot be booked; to keep it as it is must never be refused."""
    if ruling.code:
        raise error
    ruling.code = str(error.code)


def _keep(session: Session, word: Word) -> str | None:
    """Keep what the provider tells, once; return its id, None if nothing was dealt yet."""
    queries = load_queries("tradewright.soak.trading")
    found = session.execute(queries["kept_correction"], {"key": word.key}).fetchone()
    if found is not None:
        return str(found[0])
    asked = {"kind": word.kind, "key": word.key, "back": word.back, "ticks": word.ticks}
    kept = session.execute(queries["keep_correction"], asked).fetchone()
    return None if kept is None else str(kept[0])


def serve_office(pipe: Connection, conninfo: str, seed: int) -> None:
    """Run in a process: work for each number of seconds that arrives, until None."""
    drawn, office = words(seed), Office(conninfo)

    def work_for(seconds: float) -> OfficeRecord:
        end = monotonic_seconds() + seconds
        while monotonic_seconds() < end:
            office.take(next(drawn))
            pause(PAUSE_SECONDS)
        office.close()
        return OfficeRecord(office.rulings, office.retries)

    serve_requests(pipe, work_for)
