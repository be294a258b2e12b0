"""The outbox: each change of state is told, at least once, in order, signed."""

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread

import pytest

from tests.cast import value
from tests.conftest import OpenSession
from tests.db.sessions import at_once
from tests.news import news, settled_user, start, tell
from tradewright import payments
from tradewright.core.clock import monotonic_seconds, pause, utc_now
from tradewright.core.errors import ErrorCode, InputError
from tradewright.payments.outbox import BACKOFF, Delivery, deliver_due
from tradewright.payments.webhooks.post import Answer, Endpoint, post
from tradewright.payments.webhooks.signature import new_secret, verify
from tradewright.postgres.connect import Session

SECRET = new_secret()


@dataclass
class Receiver:
    """A receiver that checks each signature and answers as it is told; by default 200."""

    url: str = ""
    answers: list[int] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    told: list[tuple[str, str]] = field(default_factory=list)

    @property
    def endpoint(self) -> Endpoint:
        """Return where it is reached."""
        return Endpoint(self.url, [SECRET])

    def take(self, headers: dict[str, str], body: bytes) -> int:
        """Check one message, note it, and return the answer."""
        self.ids.append(verify(headers, body, [SECRET], now=utc_now()))
        answer = self.answers.pop(0) if self.answers else 200
        if answer == 200:
            fields = json.loads(body)
            self.told.append((fields["data"]["id"], fields["type"]))
        return answer


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """Serve a receiver on the loopback."""
    made = Receiver()
    with serving(made):
        yield made


@contextmanager
def serving(receiver: Receiver) -> Iterator[None]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            headers = {name.lower(): text for name, text in self.headers.items()}
            self.send_response(receiver.take(headers, body))
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    receiver.url = f"http://127.0.0.1:{server.server_address[1]}/events"
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def due_now(session: Session) -> None:
    """Let every wait be over."""
    session.execute("UPDATE outbox_events SET next_attempt_at = clock_timestamp()")


def test_each_change_of_state_is_told_once_and_in_order(
    engine: Session, receiver: Receiver
) -> None:
    payment = start(engine, settled_user(engine))
    for event_type in ("charge.processing", "charge.succeeded", "charge.succeeded"):
        tell(engine, news(payment, event_type))
    tell(engine, news(payment, "refund.succeeded", amount="10"))
    claim = payments.read_claims(engine, payment.id)[0]
    assert deliver_due(engine, receiver.endpoint) == Delivery(delivered=5)
    mine = [event_type for told_id, event_type in receiver.told if told_id == payment.id]
    assert mine == ["deposit.pending", "deposit.processing", "deposit.succeeded"]
    claimed = [event_type for told_id, event_type in receiver.told if told_id == claim.id]
    assert claimed == ["refund.pending", "refund.succeeded"]
    assert deliver_due(engine, receiver.endpoint) == Delivery()


def test_what_was_rolled_back_is_not_told(engine: Session, receiver: Receiver) -> None:
    payment = start(engine, settled_user(engine))
    with engine.transaction(force_rollback=True):
        tell(engine, news(payment, "charge.succeeded"))
    deliver_due(engine, receiver.endpoint)
    assert receiver.told == [(payment.id, "deposit.pending")]


def test_an_event_that_is_not_taken_is_tried_again_and_the_next_waits_for_it(
    engine: Session, receiver: Receiver
) -> None:
    payment = start(engine, settled_user(engine))
    tell(engine, news(payment, "charge.succeeded"))
    receiver.answers = [500]
    assert deliver_due(engine, receiver.endpoint) == Delivery(postponed=1)
    wait = value(
        engine,
        "SELECT min(next_attempt_at) > clock_timestamp() FROM outbox_events"
        " WHERE attempt_count = 1",
    )
    assert wait is True
    due_now(engine)
    assert deliver_due(engine, receiver.endpoint) == Delivery(delivered=2)
    assert receiver.told == [(payment.id, "deposit.pending"), (payment.id, "deposit.succeeded")]
    assert receiver.ids[0] == receiver.ids[1] != receiver.ids[2]


@pytest.mark.parametrize(
    ("answer", "attempts"), [(500, len(BACKOFF) + 1), (410, 1)], ids=["refused", "gone"]
)
def test_an_event_is_given_up_after_its_last_attempt_or_when_nobody_wants_it(
    engine: Session, receiver: Receiver, answer: int, attempts: int
) -> None:
    start(engine, settled_user(engine))
    receiver.answers = [answer] * attempts
    total = 0
    for _ in range(attempts):
        due_now(engine)
        total += deliver_due(engine, receiver.endpoint).given_up
    due_now(engine)
    assert (total, deliver_due(engine, receiver.endpoint)) == (1, Delivery())
    assert value(engine, "SELECT attempt_count FROM outbox_events") == attempts


def test_a_worker_that_died_leaves_its_event_to_another(
    engine: Session, receiver: Receiver
) -> None:
    start(engine, settled_user(engine))
    engine.execute(
        "UPDATE outbox_events SET attempt_count = 1,"
        " next_attempt_at = clock_timestamp() + interval '2 minutes'"
    )
    assert deliver_due(engine, receiver.endpoint) == Delivery()
    due_now(engine)
    assert deliver_due(engine, receiver.endpoint) == Delivery(delivered=1)


def test_two_workers_share_the_events_and_keep_their_order(
    engine: Session, open_session: OpenSession, receiver: Receiver
) -> None:
    user_id = settled_user(engine, kyc_level=4)
    for _ in range(4):
        payment = start(engine, user_id, "1")
        tell(engine, news(payment, "charge.processing"))
        tell(engine, news(payment, "charge.succeeded"))

    def work(session: Session) -> int:
        return deliver_due(session, receiver.endpoint).delivered

    counts = [each for each in at_once(open_session, [work] * 2) if isinstance(each, int)]
    assert sum(counts) + deliver_due(engine, receiver.endpoint).delivered == 12
    for told_id in {told_id for told_id, _ in receiver.told}:
        types = [event_type for each, event_type in receiver.told if each == told_id]
        assert types == ["deposit.pending", "deposit.processing", "deposit.succeeded"]


@pytest.mark.parametrize("begun", ["", "t"], ids=["nothing", "a letter"])
def test_an_answer_counts_though_its_words_never_end(
    monkeypatch: pytest.MonkeyPatch, begun: str
) -> None:
    """Else an event that was taken is sent again, ten times."""
    monkeypatch.setattr("tradewright.payments.webhooks.post.TIMEOUT_SECONDS", 0.5)
    over = Event()

    def answer(server: socket.socket) -> None:
        connection, _ = server.accept()
        with connection:
            connection.recv(65536)
            connection.sendall(f"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{begun}".encode())
            over.wait()

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = Thread(target=answer, args=(server,), daemon=True)
        thread.start()
        endpoint = Endpoint(f"http://127.0.0.1:{server.getsockname()[1]}/", [SECRET])
        assert post(endpoint, "evt", b"{}") == Answer(200, begun)
        over.set()
        thread.join()


@pytest.mark.parametrize(
    ("begun", "status"), [("HTTP/1.1 2", None), ("HTTP/1.1 200 OK\r\nX: ", 200)]
)
def test_a_receiver_whose_answer_trickles_holds_nobody_up(begun: str, status: int | None) -> None:
    """Each byte comes in time, and the whole never: everybody else's events would wait for it."""

    def answer(server: socket.socket) -> None:
        connection, _ = server.accept()
        with connection, suppress(OSError):
            connection.recv(65536)
            connection.sendall(begun.encode())
            for _ in range(200):
                pause(0.02)
                connection.sendall(b"0")

    with socket.create_server(("127.0.0.1", 0)) as server:
        Thread(target=answer, args=(server,), daemon=True).start()
        endpoint = Endpoint(f"http://127.0.0.1:{server.getsockname()[1]}/", [SECRET])
        begin = monotonic_seconds()
        told = post(endpoint, "evt", b"{}", deadline_seconds=0.2)
    assert told.status == status
    assert monotonic_seconds() - begin < 2


def test_waits_grow_up_to_a_day() -> None:
    assert list(BACKOFF) == sorted(BACKOFF)
    assert BACKOFF[-1] == timedelta(days=1)


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.org/",
        "http://",
        "http://127.0.0.1:99999/",
        "http://127.0.0.1:x/",
        "http://[::1/",
        "http://a b/",
        "http://..../",
        "http://127.0.0.1/\u00e9",
        "http://127.0.0.1/a b",
    ],
)
def test_an_address_that_is_none_is_refused_and_spends_no_attempt(
    engine: Session, url: str
) -> None:
    start(engine, settled_user(engine))
    with pytest.raises(InputError) as caught:
        deliver_due(engine, Endpoint(url, [SECRET]))
    assert caught.value.code == ErrorCode.WEBHOOK_ENDPOINT_MALFORMED
    assert value(engine, "SELECT max(attempt_count) FROM outbox_events") == 0


def test_a_secret_that_is_none_spends_no_attempt(engine: Session, receiver: Receiver) -> None:
    start(engine, settled_user(engine))
    with pytest.raises(InputError) as caught:
        deliver_due(engine, Endpoint(receiver.url, ["whsec_short"]))
    assert caught.value.code == ErrorCode.WEBHOOK_KEY_MALFORMED
    assert value(engine, "SELECT max(attempt_count) FROM outbox_events") == 0
