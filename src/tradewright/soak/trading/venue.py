"""The providers of a soak: a process of its own, which remembers whatever becomes of the engines.

Each request is answered by a script drawn from the seed: dealt, refused, dealt in pieces, late,
twice, more than asked for, or not at all until somebody asks again. What a provider has dealt it
has dealt; `Dealt` is its record, against which fills are held in the end.
"""

import heapq
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal
from itertools import count
from multiprocessing.connection import Connection, Listener
from random import Random

from tradewright.core.clock import monotonic_seconds, pause
from tradewright.core.processes import serve_requests
from tradewright.liquidity.model import ProviderAnswer, ProviderRequest, RejectReason

SILENCE_SECONDS = 600.0
"""How long a provider says nothing, unless it is asked what became of a request."""

TOLD_AGAIN_SECONDS = 20.0
"""What was told to an engine so shortly before it died is told again to the next one."""

_PACE_SECONDS = 0.005


@dataclass(frozen=True, slots=True)
class Dealt:
    """An execution as its provider has it."""

    provider: str
    execution_id: str
    quantity: Decimal


@dataclass(slots=True, eq=False)
class _Line:
    """A connection to one engine about one provider, and what was told on it."""

    connection: Connection
    provider: str
    told: list[tuple[float, ProviderRequest, ProviderAnswer]] = field(default_factory=list)
    is_up: bool = True
    lock: threading.Lock = field(default_factory=threading.Lock)

    def send(self, message: tuple[object, ...]) -> bool:
        """Send a message; return whether the line still stands."""
        with self.lock:
            if self.is_up:
                try:
                    self.connection.send(message)
                except OSError:
                    self.is_up = False
            return self.is_up


@dataclass(slots=True)
class _Asked:
    """A request with what has been said about it, what is still to be said, and who wants it."""

    request: ProviderRequest
    lines: list[_Line]
    said: list[ProviderAnswer] = field(default_factory=list)
    script: list[ProviderAnswer] = field(default_factory=list)
    is_told_twice: bool = False

    @property
    def dealt(self) -> Decimal:
        return sum((answer.quantity for answer in self.said), Decimal(0))


class Venue:
    """All providers; every method is called under its lock."""

    def __init__(self, seed: int) -> None:
        self.lock = threading.Lock()
        self._random = Random(f"{seed}/venue")  # noqa: S311 (a load, not a secret)
        self._asked: dict[str, _Asked] = {}
        self._due: list[tuple[float, int, str]] = []
        self._order = count()
        self._untold: dict[str, list[tuple[ProviderRequest, ProviderAnswer]]] = {}
        self._open: list[_Line] = []
        self._is_closing = False

    def ask(self, line: _Line, request: ProviderRequest) -> None:
        """Take a request; one that was taken before is not dealt on again."""
        if request.request_id in self._asked:
            return
        asked = _Asked(request, [line])
        self._asked[request.request_id] = asked
        delay = write_script(self._random, line.provider, asked)
        self._plan(request.request_id, 0.0 if self._is_closing else delay)

    def cancel(self, request_id: str) -> None:
        """End a request with what it has dealt, if its provider is in the mood; else go on."""
        asked = self._asked.get(request_id)
        if asked is None or not asked.script:
            return
        if self._random.random() < 1 / 2:
            asked.script = [_last_word(asked.script[0], asked.dealt)]
        self._plan(request_id, self._random.uniform(0, 0.05))

    def recall(
        self, line: _Line, round_id: str
    ) -> list[tuple[ProviderRequest, list[ProviderAnswer]]]:
        """Return what was said about the requests of a round; what is open is said soon."""
        found = [asked for key, asked in self._asked.items() if key.startswith(round_id)]
        mine = [asked for asked in found if asked.request.request_id.endswith(f"-{line.provider}")]
        for asked in mine:
            if asked.script:
                asked.lines.append(line)
                self._plan(asked.request.request_id, self._random.uniform(0, 0.5))
        return [(asked.request, list(asked.said)) for asked in mine]

    def open(self, line: _Line) -> None:
        """Tell a new engine what the one before it may not have booked."""
        self._open.append(line)
        for request, answer in self._untold.pop(line.provider, []):
            self._tell(line, request, answer)

    def hang_up(self, line: _Line) -> None:
        """Keep what was told last on a line that has ended."""
        line.is_up = False
        recent = monotonic_seconds() - TOLD_AGAIN_SECONDS
        kept = [(request, answer) for at, request, answer in line.told if at >= recent]
        self._untold.setdefault(line.provider, []).extend(kept)

    def speak(self) -> None:
        """Say what is due."""
        while self._due and self._due[0][0] <= monotonic_seconds():
            _, _, request_id = heapq.heappop(self._due)
            self._say(self._asked[request_id])

    def come_to_an_end(self) -> int:
        """Say everything from now on at once; return how many requests are still open."""
        self._is_closing = True
        open_ids = [key for key, asked in self._asked.items() if asked.script]
        for key in open_ids:
            self._plan(key, 0.0)
        return len(open_ids)

    def dealt(self) -> list[Dealt]:
        """Return every execution."""
        return [
            Dealt(answer.provider, answer.execution_id, answer.quantity)
            for asked in self._asked.values()
            for answer in asked.said
            if answer.quantity
        ]

    def _plan(self, request_id: str, delay: float) -> None:
        heapq.heappush(self._due, (monotonic_seconds() + delay, next(self._order), request_id))

    def _say(self, asked: _Asked) -> None:
        if not asked.script:
            if asked.is_told_twice and asked.said:
                self._tell_all(asked, asked.said[-1])
            return
        answer = asked.script.pop(0)
        asked.said.append(answer)
        self._tell_all(asked, answer)
        again = asked.is_told_twice and not self._is_closing
        if asked.script or again:
            self._plan(asked.request.request_id, self._random.uniform(0, 0.4))

    def _tell_all(self, asked: _Asked, answer: ProviderAnswer) -> None:
        """Tell whoever asked; if nobody of them is there any more, any engine that is."""
        theirs = [line for line in self._open if line.provider == answer.provider]
        lines = [line for line in asked.lines if line.is_up]
        lines = lines or [line for line in theirs if line.is_up][:1]
        for line in lines:
            self._tell(line, asked.request, answer)
        if not lines:
            provider = answer.provider
            self._untold.setdefault(provider, []).append((asked.request, answer))

    def _tell(self, line: _Line, request: ProviderRequest, answer: ProviderAnswer) -> None:
        line.told.append((monotonic_seconds(), request, answer))
        line.send(("answer", request, answer))


def write_script(random: Random, provider: str, asked: _Asked) -> float:
    """Draw how a request will be answered; return how long until the first word."""
    request = asked.request
    whole = request.quantity
    part = _part(random, whole)
    quantities, delay = [whole], random.uniform(0, 0.02)
    match random.choices(_MANNERS, _MANNER_WEIGHTS)[0]:
        case "refused":
            quantities = [Decimal(0)]
        case "in_pieces" if part:
            quantities = [part, whole - part]
        case "in_part" if part:
            quantities = [part, Decimal(0)]
        case "late":
            delay = random.uniform(0.3, 1.5)
        case "twice":
            asked.is_told_twice = True
        case "generous":
            quantities = [whole * 2]
        case "silent":
            delay = SILENCE_SECONDS
    asked.script = list(_answers(provider, request, quantities, random.randrange(3)))
    return delay


_MANNERS = ("dealt", "refused", "in_pieces", "in_part", "late", "twice", "generous", "silent")
_MANNER_WEIGHTS = (40, 12, 12, 8, 10, 10, 2, 6)


def _part(random: Random, whole: Decimal) -> Decimal:
    """Return a part of a quantity in whole thousands, or nothing when there is no part of it."""
    thousands = int(whole // 1_000)
    return Decimal(1_000 * random.randrange(1, thousands)) if thousands > 1 else Decimal(0)


def _answers(
    provider: str, request: ProviderRequest, quantities: list[Decimal], better: int
) -> Iterator[ProviderAnswer]:
    """Yield one answer for each quantity, the last of them final; prices are up to 2 ticks better.

    Each has an execution id of its own, made of the request's.
    """
    total = Decimal(0)
    for number, quantity in enumerate(quantities, start=1):
        total += quantity
        limit = request.limit_price
        tick = Decimal(1).scaleb(0 if limit is None else int(limit.as_tuple().exponent))
        price = None if limit is None else limit - better * tick * request.side.sign
        yield ProviderAnswer(
            request_id=request.request_id,
            provider=provider,
            accepted=bool(total),
            price=price if quantity else None,
            quantity=quantity,
            hold_ms=1,
            decided_at=request.requested_at + timedelta(milliseconds=1),
            reason=None if total else RejectReason.DECLINED,
            execution_id=f"X-{request.request_id}-{number}",
            total_quantity=total,
            is_final=number == len(quantities),
        )


def _last_word(answer: ProviderAnswer, dealt: Decimal) -> ProviderAnswer:
    """Return the final answer that nothing more will be dealt."""
    return replace(
        answer,
        accepted=bool(dealt),
        price=None,
        quantity=Decimal(0),
        reason=None if dealt else RejectReason.UNFILLED,
        total_quantity=dealt,
        is_final=True,
    )


def serve_venue(pipe: Connection, address: str, seed: int) -> None:
    """Run in a process: be the providers at an address; answer "end" and "dealt" on the pipe."""
    venue = Venue(seed)
    listener = Listener(address, family="AF_UNIX")
    threading.Thread(target=_accept, args=(listener, venue), daemon=True).start()
    threading.Thread(target=_speak, args=(venue,), daemon=True).start()

    def work(request: str) -> object:
        with venue.lock:
            return venue.come_to_an_end() if request == "end" else venue.dealt()

    serve_requests(pipe, work)


def _accept(listener: Listener, venue: Venue) -> None:
    while True:
        threading.Thread(target=_listen, args=(listener.accept(), venue), daemon=True).start()


def _listen(connection: Connection, venue: Venue) -> None:
    """Do what one engine asks about one provider, until the line ends."""
    line = _Line(connection, "")
    while True:
        try:
            word, given = connection.recv()
        except (EOFError, OSError):
            with venue.lock:
                venue.hang_up(line)
            return
        with venue.lock:
            match word:
                case "hello":
                    line.provider = given
                case "ask":
                    venue.ask(line, given)
                case "cancel":
                    venue.cancel(given)
                case "recall":
                    line.send(("recalled", venue.recall(line, given)))
                case "open":
                    venue.open(line)


def _speak(venue: Venue) -> None:
    while True:
        with venue.lock:
            venue.speak()
        pause(_PACE_SECONDS)
