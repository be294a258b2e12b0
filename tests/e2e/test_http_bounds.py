"""Nobody takes the whole server: bounds of requests, connections, keys, addresses, and of words."""

import json
import logging
import socket
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from ipaddress import ip_network
from pathlib import Path

import psycopg
import pytest
import uvicorn

from tests.fix_floor import until
from tests.floor import Floor
from tests.web import Answered, Web, key_of, new_user, served
from tradewright import access
from tradewright.access import rates
from tradewright.core.errors import InternalError
from tradewright.core.ids import new_id_text
from tradewright.postgres.connect import Session
from tradewright.server.http import health
from tradewright.server.http.guards import HEADERS
from tradewright.server.http.house import HttpSettings
from tradewright.server.http.routes import payments
from tradewright.server.http.serving import HttpRun, run_http
from tradewright.trading.inquiry import find_account

LOOPBACK = ip_network("127.0.0.0/8")
PAYMENT = {"kind": "deposit", "amount": "10.00", "currency": "USD", "provider": "cards"}


@dataclass(frozen=True, slots=True)
class SilentEngine:
    """Listens as an engine does, and never answers."""

    place: Path
    bound: socket.socket
    taken: list[socket.socket] = field(default_factory=list)

    def take(self, count: int) -> None:
        """Wait until so many further commands have come."""
        self.taken.extend(self.bound.accept()[0] for _ in range(count))


@contextmanager
def silent_engine(place: Path) -> Iterator[SilentEngine]:
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(str(place))
        bound.listen(100)
        bound.settimeout(10)
        engine = SilentEngine(place, bound)
        yield engine
        for each in engine.taken:
            each.close()


@pytest.fixture
def kim(engine: Session) -> str:
    return key_of(engine, new_user(engine, "trader"))


def test_more_requests_at_once_than_sessions_and_threads_are_all_answered(
    engine_database: str, kim: str
) -> None:
    settings = HttpSettings(requests_per_second=1e6, burst=10**6, requests_at_once_of_key=128)
    with served(engine_database, sessions=2, settings=settings) as web:
        asker = web.with_key(kim)
        with ThreadPoolExecutor(60) as crowd:
            found = list(crowd.map(lambda _: asker.get("/v1/orders").status, range(120)))
    assert Counter(found) == {200: 120}


def test_requests_that_wait_for_an_engine_keep_nobody_else_from_being_answered(
    floor: Floor, engine_database: str, tmp_path: Path
) -> None:
    account, other = floor.account(), key_of(floor.session, new_user(floor.session))
    key = key_of(floor.session, find_account(floor.session, account).user_id)
    body = {"client_order_id": "x", "symbol": "EURUSD", "side": "buy", "quantity": "1000"}
    settings = HttpSettings(requests_at_once=4, requests_at_once_of_key=2)
    with (
        silent_engine(tmp_path / "orders.sock") as silent,
        served(engine_database, silent.place, settings) as web,
        ThreadPoolExecutor(4) as crowd,
    ):
        waiting = web.with_key(key).with_headers(Deadline_Ms="900")
        path = f"/v1/accounts/{account}/orders"
        told = [crowd.submit(waiting.post, path, body) for _ in range(2)]
        silent.take(2)
        refused = web.with_key(key).get("/v1/me")
        assert refused.problem == (429, "HTTP_REQUESTS_EXCEEDED")
        assert web.with_key(other).get("/v1/me").status == 200
        assert [each.result().status for each in told] == [504, 504]
        assert web.with_key(key).get("/v1/me").status == 200


def test_a_server_whose_places_are_taken_says_so_and_that_it_lives(
    floor: Floor, engine_database: str, tmp_path: Path
) -> None:
    account = floor.account()
    key = key_of(floor.session, find_account(floor.session, account).user_id)
    body = {"client_order_id": "x", "symbol": "EURUSD", "side": "buy", "quantity": "1000"}
    with (
        silent_engine(tmp_path / "orders.sock") as silent,
        served(engine_database, silent.place, HttpSettings(requests_at_once=1)) as web,
        ThreadPoolExecutor(1) as crowd,
    ):
        waiting = web.with_key(key).with_headers(Deadline_Ms="700")
        told = crowd.submit(waiting.post, f"/v1/accounts/{account}/orders", body)
        silent.take(1)
        busy = web.get("/v1/me")
        assert busy.problem == (503, "SERVER_BUSY")
        assert busy.headers["retry-after"] == "1"
        assert web.get("/healthz").status == 200
        assert told.result().status == 504
        until(lambda: web.get("/v1/me").status == 401)


def hung_up(web: Web, *said: bytes) -> bytes:
    """Say one thing after the other, each when the one before was answered, until it is hung up."""
    with socket.create_connection((web.host, web.port), timeout=10) as line:
        told = b""
        for each in said[:-1]:
            line.sendall(each)
            told += line.recv(65_536)
        line.sendall(said[-1])
        while chunk := line.recv(65_536):
            told += chunk
        return told


def test_whoever_asks_for_nothing_is_hung_up_on(engine_database: str) -> None:
    with served(engine_database, settings=HttpSettings(head_seconds=0.3)) as web:
        assert hung_up(web, b"") == b""
        assert hung_up(web, b"GET /healthz HTTP/1.1\r\nHost:") == b""
        whole = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
        assert hung_up(web, whole, b"GET /healthz").startswith(b"HTTP/1.1 200")


def test_a_body_that_does_not_come_is_not_waited_for(engine_database: str, kim: str) -> None:
    head = (
        f"POST /v1/payments HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {kim}\r\n"
        "Content-Type: application/json\r\nContent-Length: 10\r\n\r\n{"
    )
    with served(engine_database, settings=HttpSettings(body_seconds=0.3)) as web:
        told = hung_up(web, head.encode())
    assert told.startswith(b"HTTP/1.1 422")
    assert b"did not come in time" in told


def test_bodies_that_come_slowly_hold_no_place_at_work(engine_database: str, kim: str) -> None:
    head = (
        f"POST /v1/payments HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {kim}\r\n"
        "Content-Type: application/json\r\nContent-Length: 10\r\n\r\n{"
    )
    with (
        served(engine_database, settings=HttpSettings(requests_at_once=2)) as web,
        ExitStack() as on,
    ):
        for _ in range(3):
            line = on.enter_context(socket.create_connection((web.host, web.port), timeout=10))
            line.sendall(head.encode())
        until(lambda: web.get("/readyz").status == 200)
        assert [web.with_key(kim).get("/v1/me").status for _ in range(5)] == [200] * 5


def test_whoever_hangs_up_before_the_body_has_asked_for_nothing(
    engine_database: str, kim: str, caplog: pytest.LogCaptureFixture
) -> None:
    head = (
        f"POST /v1/keys/x/revoke HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {kim}\r\n"
        "Content-Type: application/json\r\nContent-Length: 10\r\n\r\n{"
    )
    with served(engine_database) as web, caplog.at_level(logging.ERROR):
        with socket.create_connection((web.host, web.port), timeout=10) as line:
            line.sendall(head.encode())
        assert lives(web)
    assert not caplog.records


def test_a_field_that_is_named_twice_is_refused_before_anything_reads_it(
    engine_database: str, engine: Session, kim: str
) -> None:
    body = (
        f'{{"payment_id": "{new_id_text()}", "kind": "deposit", "amount": "10.00",'
        ' "currency": "USD", "provider": "cards", "amount": "9000.00"}'
    )
    with served(engine_database) as web:
        answer = web.with_key(kim).post("/v1/payments", body.encode())
    assert answer.problem == (422, "HTTP_REQUEST_MALFORMED")
    assert "'amount' twice" in answer.json["why"]
    assert engine.execute("SELECT count(*) FROM payment_transactions").fetchone() == (0,)


def test_an_address_has_a_bound_of_connections_of_its_own_unless_it_is_a_proxy(
    engine_database: str,
) -> None:
    bounded = HttpSettings(connections_of_address=2)
    for settings, is_refused in (bounded, True), (replace(bounded, proxies=(LOOPBACK,)), False):
        with served(engine_database, settings=settings) as web, ExitStack() as on:
            lines = [
                on.enter_context(socket.create_connection((web.host, web.port), timeout=10))
                for _ in range(3)
            ]
            lines[2].sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            assert is_hung_up(lines[2]) is is_refused


def test_connections_have_a_bound_and_one_that_ends_makes_room(engine_database: str) -> None:
    with served(engine_database, settings=HttpSettings(connections=2)) as web:
        idle = [socket.create_connection((web.host, web.port), timeout=10) for _ in range(3)]
        assert is_hung_up(idle[2])
        for each in idle:
            each.close()
        until(lambda: lives(web))


def is_hung_up(line: socket.socket) -> bool:
    try:
        return line.recv(1) == b""
    except ConnectionError:
        return True


def lives(web: Web) -> bool:
    try:
        return web.get("/healthz").status == 200
    except OSError:
        return False


def test_whoever_shows_keys_that_are_refused_is_held_up_before_the_database(
    engine_database: str, engine: Session, kim: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rates, "REFUSALS_AT_ONCE", 3)
    with served(engine_database) as web:
        assert web.with_key(kim).get("/v1/me").status == 200
        stranger = web.with_key("twk_" + "0" * 96)
        assert [stranger.get("/v1/me").status for _ in range(4)] == [401, 401, 401, 429]
        assert stranger.get("/v1/me").problem == (429, "HTTP_RATE_EXCEEDED")
        assert web.with_key(kim).get("/v1/me").status == 200
        new = key_of(engine, new_user(engine))
        assert web.with_key(new).get("/v1/me").problem == (429, "HTTP_RATE_EXCEEDED")


def must_tell_nothing(answer: Answered, *secrets: str) -> None:
    """Refuse an answer that says what is the house's own, or lacks its headers."""
    assert {name: answer.headers[name.lower()] for name in HEADERS} == HEADERS
    assert not [each for each in secrets if each in answer.body.decode()], answer.body


def test_a_defect_is_told_without_its_words_and_with_the_id_that_is_logged(
    engine_database: str,
    kim: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("the secret of the house")

    monkeypatch.setattr(access, "list_keys", broken)
    with served(engine_database) as web, caplog.at_level(logging.ERROR):
        answer = web.with_key(kim).get("/v1/keys")
    assert answer.problem == (500, "INTERNAL_DEFECT")
    must_tell_nothing(answer, "secret", "keys.py", "RuntimeError")
    assert any(answer.headers["x-request-id"] in each.getMessage() for each in caplog.records)
    assert "the secret of the house" in caplog.text


def test_what_the_database_says_is_not_told_to_strangers(
    engine_database: str, kim: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise psycopg.errors.InsufficientPrivilege("permission denied for table api_keys")

    monkeypatch.setattr(access, "list_keys", broken)
    with served(engine_database) as web:
        answer = web.with_key(kim).get("/v1/keys")
    assert answer.problem == (500, "DATABASE_PERMISSION_DENIED")
    must_tell_nothing(answer, "api_keys", "table")


def test_a_database_lost_in_a_change_leaves_the_outcome_unknown_and_in_a_question_not(
    engine_database: str, kim: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lost(*_: object, **__: object) -> None:
        raise psycopg.OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr(payments, "ask_for_payment", lost)
    monkeypatch.setattr(access, "list_keys", lost)
    with served(engine_database) as web:
        asker = web.with_key(kim)
        changed = asker.post("/v1/payments", {**PAYMENT, "payment_id": new_id_text()})
        assert changed.problem == (504, "DATABASE_OUTCOME_UNKNOWN")
        assert asker.get("/v1/keys").problem == (503, "DATABASE_CONNECTION_LOST")


def test_while_readiness_is_looked_at_nobody_waits_for_it(
    engine_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    looking, seen = threading.Event(), threading.Event()

    def slow(_: object) -> dict[str, str]:
        seen.set()
        looking.wait(10)
        return {"database": "ok"}

    monkeypatch.setattr(health, "_schema", slow)
    with served(engine_database) as web, ThreadPoolExecutor(1) as crowd:
        first = crowd.submit(web.get, "/readyz")
        assert seen.wait(10)
        assert web.get("/readyz").json["checks"] == {"database": "not looked at yet"}
        looking.set()
        assert json.loads(first.result().body)["status"] == "ready"


def test_what_was_taken_is_answered_when_the_server_is_told_to_stop(
    floor: Floor, engine_database: str, tmp_path: Path
) -> None:
    account = floor.account()
    key = key_of(floor.session, find_account(floor.session, account).user_id)
    body = {"client_order_id": "x", "symbol": "EURUSD", "side": "buy", "quantity": "1000"}
    with (
        silent_engine(tmp_path / "orders.sock") as silent,
        ThreadPoolExecutor(1) as crowd,
    ):
        with served(engine_database, silent.place) as web:
            waiting = web.with_key(key).with_headers(Deadline_Ms="700")
            told = crowd.submit(waiting.post, f"/v1/accounts/{account}/orders", body)
            silent.take(1)
        assert told.result().problem == (504, "ENGINE_OUTCOME_UNKNOWN")
        assert not lives(web)


def test_a_server_that_ends_by_itself_is_no_good_end(
    engine_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uvicorn.Server, "run", lambda *_, **__: None)
    run = HttpRun(host="127.0.0.1", port=0)
    with pytest.raises(InternalError, match="ended by itself"):
        run_http(engine_database, run, lambda _: None, threading.Event())
