"""Whatever a provider writes, the session lives on, and what can be read of it is taken."""

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from hashlib import sha256
from threading import Event, Thread

import pytest

from tests.fix_floor import CODE, ORDERS, Deaf, until
from tests.floor import DAY, Floor
from tradewright.core.clock import utc_now
from tradewright.liquidity.fix.caller import Endpoint
from tradewright.liquidity.fix.codec import Framer, Message, encode
from tradewright.liquidity.fix.gateway import FixGateway
from tradewright.liquidity.fix.instants import as_time
from tradewright.liquidity.fix.store import PostgresStore
from tradewright.liquidity.model import ProviderRequest, Side
from tradewright.postgres.connect import Session, connect

TRADE = (
    *((37, "O-1"), (11, "PHONE-1"), (17, "X-1"), (150, "F"), (39, "2"), (55, "EURUSD")),
    *((54, "2"), (38, "7"), (14, "7"), (151, "0"), (32, "7"), (31, "1.1")),
)


LONG = "".join(sha256(b"%d" % n).hexdigest() for n in range(256)).encode()
"""A name that no index holds: so long, and nothing in it repeats."""


def framed(body: bytes) -> bytes:
    """Return a body as a message that is whole, whatever its fields are."""
    head = b"8=FIX.4.4\x019=%d\x01" % len(body) + body
    return head + b"10=%03d\x01" % (sum(head) % 256)


@dataclass(slots=True)
class Scripted:
    """A provider that says what it is told to, byte by byte, and resends it when it is asked."""

    says: list[Callable[[int], bytes]]
    heartbeat: str = "30"
    calls: int = 0
    logons: int = 0
    is_away: bool = False
    heard: list[Message] = field(default_factory=list)
    _server: socket.socket = field(default_factory=lambda: socket.create_server(("127.0.0.1", 0)))
    _ends: Event = field(default_factory=Event)

    @property
    def kinds(self) -> list[str]:
        """Return the kinds of the messages that it has heard."""
        return [message.kind for message in self.heard]

    @property
    def port(self) -> int:
        """Return where it listens."""
        port: int = self._server.getsockname()[1]
        return port

    @contextmanager
    def listening(self) -> Iterator["Scripted"]:
        """Serve one client after the other in a thread."""
        self._server.settimeout(0.1)
        thread = Thread(target=self._serve, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._ends.set()
            thread.join()
            self._server.close()

    def _serve(self) -> None:
        while not self._ends.is_set():
            try:
                connection, _ = self._server.accept()
            except TimeoutError:
                continue
            self.calls += 1
            with connection:
                connection.settimeout(0.1)
                self._speak(connection, Framer())

    def _speak(self, connection: socket.socket, framer: Framer) -> None:
        while not self._ends.is_set() and not self.is_away:
            try:
                data = connection.recv(4096)
            except TimeoutError:
                continue
            except OSError:
                return
            if not data:
                return
            for message in framer.feed(data):
                self.heard.append(message)
                if message.kind == "5":
                    return
                self._answer(connection, message)

    def _answer(self, connection: socket.socket, message: Message) -> None:
        first = 1 + len(self.says)
        if message.kind == "A":
            self.logons += 1
            seq = 1 if self.logons == 1 else first + self.logons
            connection.sendall(line(seq, "A", (98, "0"), (108, self.heartbeat)))
            if self.logons == 1:
                for number, say in enumerate(self.says, 2):
                    connection.sendall(say(number))
        elif message.kind == "2":
            begin = int(message.text(7))
            for number in range(max(begin, 2), first + 1):
                connection.sendall(self.says[number - 2](number))


def line(seq: int, kind: str, *fields: tuple[int, str]) -> bytes:
    """Return a message of the provider under a number."""
    head = ((49, "LP"), (56, "HOUSE"), (34, str(seq)), (52, as_time(utc_now())))
    return encode(kind, (*head, *fields))


def odd(old: bytes, new: bytes) -> Callable[[int], bytes]:
    """Return a trade of the provider that nobody has asked for, with something odd in it."""

    def say(seq: int) -> bytes:
        whole = line(seq, "8", *TRADE, (60, as_time(utc_now())), (58, "ODD"))
        body = whole[whole.index(b"35=") : -len(b"10=000\x01")]
        assert old in body
        return framed(body.replace(old, new))

    return say


@contextmanager
def talking(engine_database: str, provider: Scripted) -> Iterator[tuple[FixGateway, Deaf]]:
    """Run a gateway to the provider."""
    floor_id = connect(engine_database, autocommit=True)
    (row,) = floor_id.execute("SELECT id::text FROM liquidity_providers LIMIT 1").fetchall()
    floor_id.close()
    store = PostgresStore(lambda: connect(engine_database, autocommit=True), row[0], ORDERS)
    endpoint = Endpoint(host="127.0.0.1", port=provider.port, identity=ORDERS, uses_tls=False)
    gateway, hears = FixGateway(CODE, store, endpoint), Deaf()
    with provider.listening():
        gateway.open(hears)
        try:
            yield gateway, hears
        finally:
            gateway.close()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"58=ODD", b"58=caf\xe9"),
        (b"58=ODD", b"58="),
        (b"58=ODD", b"58=a\x00b"),
        (b"58=ODD", b"not a field"),
        (b"58=ODD", b"058=odd"),
    ],
)
def test_an_execution_with_an_odd_field_is_told(
    engine_database: str, engine: Session, old: bytes, new: bytes
) -> None:
    Floor.opened(engine_database, engine)
    with talking(engine_database, Scripted([odd(old, new), odd(b"17=X-1", b"17=X-2")])) as (
        _,
        hears,
    ):
        until(lambda: len(hears.told) == 2, seconds=8)


@pytest.mark.parametrize(
    "say",
    [
        odd(b"60=2", b"60=0"),
        odd(b"11=PHONE-1", b"11=" + LONG),
        odd(b"17=X-1", b"17=" + LONG),
        odd(b"17=X-1\x01150=F", b"17=%b\x0119=%b\x01150=H" % (LONG, LONG)),
        lambda seq: line(seq, "3", (45, "\u00b2"), (372, "D")),
        lambda seq: line(seq, "3", (45, "999999999999999999999"), (372, "D")),
        lambda seq: line(seq, "8", (150, "F")),
        lambda seq: line(seq, "8", (150, "8"), (39, "8"), (11, "x"), (54, "1"), (38, "1")),
    ],
)
def test_a_message_that_cannot_be_read_keeps_nothing_after_it(
    engine_database: str, engine: Session, say: Callable[[int], bytes]
) -> None:
    Floor.opened(engine_database, engine)
    provider = Scripted([say, odd(b"17=X-1", b"17=X-2")])
    with talking(engine_database, provider) as (_, hears):
        until(lambda: any(told[1].execution_id == "X-2" for told in hears.told), seconds=8)  # type: ignore[index]


def test_people_are_told_of_an_execution_that_cannot_be_read(
    engine_database: str, engine: Session
) -> None:
    Floor.opened(engine_database, engine)
    asked = "SELECT about, what FROM alerts WHERE kind = 'execution_unreadable'"
    said = [odd(b"32=7", b"32=x"), odd(b"17=X-1", b"17=X-2")]
    with talking(engine_database, Scripted(said)) as (_, hears):
        until(lambda: len(engine.execute(asked).fetchall()) == 1, seconds=8)
        until(lambda: len(hears.told) == 1, seconds=8)
    ((about, what),) = engine.execute(asked).fetchall()
    assert about == f"{CODE} X-1"
    assert what.endswith("request PHONE-1, which cannot be read and is not booked: field 32 is 'x'")


@pytest.mark.parametrize("beat", ["3601", "999999999999999999"])
def test_a_heartbeat_that_nobody_waits_for_ends_the_logon_and_not_the_calling(
    engine_database: str, engine: Session, beat: str
) -> None:
    Floor.opened(engine_database, engine)
    provider = Scripted([], heartbeat=beat)
    with talking(engine_database, provider) as (gateway, _):
        until(lambda: provider.logons > 1, seconds=8)
        assert "HeartBtInt (108)" in gateway.why_not


def test_what_nobody_expected_of_a_message_ends_its_session_and_not_the_calling(
    engine_database: str, engine: Session
) -> None:
    Floor.opened(engine_database, engine)
    provider = Scripted([odd(b"17=X-1", b"17=X-1")])
    with talking(engine_database, provider) as (gateway, hears):
        hears.take_answer = None  # type: ignore[assignment,method-assign]
        until(lambda: provider.logons > 1 and gateway.is_ready, seconds=8)
        assert "TypeError" in gateway.why_not


def test_a_cancel_that_the_line_took_with_it_is_asked_for_at_the_next_logon(
    engine_database: str, engine: Session
) -> None:
    Floor.opened(engine_database, engine)
    request = ProviderRequest("r", "EURUSD", Side.BUY, Decimal(1), Decimal(1), DAY)
    provider = Scripted([])
    with talking(engine_database, provider) as (gateway, _):
        until(lambda: gateway.is_ready)
        assert gateway.answer(request, DAY) is None
        until(lambda: "D" in provider.kinds)
        provider.is_away = True
        until(lambda: not gateway.is_ready)
        gateway.cancel("r")
        calls = provider.calls
        until(lambda: provider.calls > calls + 1)
        provider.is_away = False
        until(lambda: "F" in provider.kinds, seconds=8)
        assert provider.kinds.index("F") < provider.kinds.index("H")


def test_requests_are_recalled_in_turn_with_who_goes_through_them(
    engine_database: str, engine: Session
) -> None:
    Floor.opened(engine_database, engine)
    request = ProviderRequest("round-LP", "EURUSD", Side.BUY, Decimal(1), Decimal(1), DAY)
    provider = Scripted([])
    with talking(engine_database, provider) as (gateway, _):
        until(lambda: gateway.is_ready)
        gateway.answer(request, DAY)
        until(lambda: "D" in provider.kinds)
        thread = Thread(target=gateway.recall, args=("round",))
        with gateway._lock:
            thread.start()
            thread.join(1)
            assert thread.is_alive()
        thread.join()
