"""The stream of events over HTTP: live, resumed, quiet, refused and ended."""

import json
import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from http.client import HTTPConnection, HTTPResponse
from threading import Thread
from typing import Any

import pytest

from tests.fix_floor import until
from tests.floor import Floor, buy, deal
from tests.web import Web, key_of, new_user, served
from tradewright.access import Scope
from tradewright.core.clock import monotonic_seconds, pause
from tradewright.core.ids import new_id_text
from tradewright.server.http import following
from tradewright.server.http.routes import stream as routes
from tradewright.trading.amendments import AmendPosition
from tradewright.trading.inquiry import find_account

WAIT_SECONDS_MAX = 30


@dataclass(slots=True)
class Told:
    """What a reader was told: id, event, and its data; an event without data is a sign of life."""

    id: str | None
    event: str
    data: dict[str, Any] | None


@dataclass(slots=True)
class Reader:
    """One connection to the stream."""

    answer: HTTPResponse

    def next(self) -> Told | None:
        """Return the next block; None when the stream has ended."""
        fields: dict[str, str] = {}
        while line := self.answer.readline().decode():
            if line == "\n":
                data = json.loads(fields["data"]) if "data" in fields else None
                return Told(fields.get("id"), fields.get("event", "message"), data)
            name, _, value = line.rstrip("\n").partition(": ")
            fields[name] = value
        return None

    def events(self, count: int) -> list[Told]:
        """Return the next events, signs of life left out."""
        found: list[Told] = []
        ends_at = monotonic_seconds() + WAIT_SECONDS_MAX
        while len(found) < count:
            told = self.next()
            assert told is not None, found
            assert monotonic_seconds() < ends_at, found
            if told.data is not None:
                found.append(told)
        return found

    def first(self, event: str) -> Told:
        """Return the next event of a kind."""
        while (told := self.events(1)[0]).event != event:
            pass
        return told


@contextmanager
def reading(web: Web, last: str | None = None) -> Iterator[Reader]:
    """Follow the stream, behind an event or from now on."""
    connection = HTTPConnection(web.host, web.port, timeout=30)
    headers = {"Authorization": f"Bearer {web.key}"}
    if last is not None:
        headers["Last-Event-ID"] = last
    connection.request("GET", "/v1/stream", headers=headers)
    answer = connection.getresponse()
    try:
        assert answer.status == 200, answer.read()
        assert answer.headers["content-type"].startswith("text/event-stream")
        yield Reader(answer)
    finally:
        answer.close()
        connection.close()


@pytest.fixture
def account(floor: Floor) -> str:
    return floor.account()


@pytest.fixture
def kim(floor: Floor, account: str, engine_database: str) -> Iterator[Web]:
    user = find_account(floor.session, account).user_id
    with served(engine_database, sessions=6) as web:
        yield web.with_key(key_of(floor.session, user))


def may_follow(web: Web) -> bool:
    """Return whether there is room for one more stream, which is opened and left."""
    connection = HTTPConnection(web.host, web.port, timeout=30)
    try:
        connection.request("GET", "/v1/stream", headers={"Authorization": f"Bearer {web.key}"})
        return connection.getresponse().status == 200
    finally:
        connection.close()


def kept(floor: Floor, account: str) -> list[tuple[Any, ...]]:
    return floor.rows(
        "SELECT e.order_id::text, e.seq FROM order_events AS e JOIN orders AS o"
        " ON o.id = e.order_id WHERE o.account_id = %s ORDER BY 1, 2",
        account,
    )


def test_orders_are_told_as_they_are_dealt_and_nobody_elses(
    floor: Floor, kim: Web, account: str
) -> None:
    other = floor.account()
    with reading(kim) as reader, floor.engine() as engine:
        deal(engine, buy(other, 1000))
        deal(engine, buy(account, 1000, client_order_id="mine"))
        events = reader.events(2)
    assert [each.event for each in events] == ["order", "order"]
    data = [each.data or {} for each in events]
    assert [each["event_type"] for each in data] == ["new", "trade"]
    assert {each["client_order_id"] for each in data} == {"mine"}
    assert (data[1]["quantity"], data[1]["price"]) == ("1000", "1.1001")
    assert data[1]["occurred_at"].endswith("Z")


def test_an_amendment_of_a_position_is_told(floor: Floor, kim: Web, account: str) -> None:
    with floor.engine() as engine:
        deal(engine, buy(account, 1000))
        position_id = floor.one("SELECT id::text FROM positions")
        with reading(kim) as reader:
            command = AmendPosition(
                account_id=account,
                amendment_id=new_id_text(),
                position_id=position_id,
                symbol="EURUSD",
                stop_loss=Decimal("1.05"),
            )
            engine.submit(command).result(30)
            told = reader.first("position_amended")
    assert (told.data or {}) | {"occurred_at": ""} == {
        "occurred_at": "",
        "position_id": position_id,
        "account_id": account,
        "amendment_id": command.amendment_id,
        "stop_loss": "1.05",
        "take_profit": None,
    }


def test_a_reader_that_is_killed_again_and_again_misses_and_doubles_nothing(
    floor: Floor, kim: Web, account: str
) -> None:
    chance = random.Random(7)  # noqa: S311 (a test's choice)
    wanted = 40
    with reading(kim) as reader:
        first = reader.next()
        assert first is not None

        def trade() -> None:
            with floor.engine() as engine:
                for _ in range(wanted // 2):
                    deal(engine, buy(account, 1000))

        trading = Thread(target=trade)
        trading.start()
        told = reader.events(3)
    while len(told) < wanted:
        with reading(kim, told[-1].id) as reader:
            told += reader.events(min(chance.randint(1, 9), wanted - len(told)))
    trading.join()
    data = [each.data or {} for each in told]
    assert [(each["order_id"], each["seq"]) for each in data] == kept(floor, account)
    with reading(kim, told[4].id) as reader:
        again = [each.data for each in reader.events(wanted - 5)]
    assert again == data[5:]


def test_a_quiet_stream_shows_that_it_lives_and_where_it_is(
    floor: Floor, kim: Web, account: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(routes, "HEARTBEAT_SECONDS", 0.1)
    with reading(kim) as reader:
        signs = [reader.next() for _ in range(3)]
    last = signs[-1]
    assert last is not None
    assert (last.data, last.id is not None) == (None, True)
    with floor.engine() as engine:
        deal(engine, buy(account, 1000))
    with reading(kim, last.id) as reader:
        assert len(reader.events(2)) == 2


def test_a_stream_ends_with_its_key(
    floor: Floor, kim: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "IDENTIFY_SECONDS", 0)
    with reading(kim) as reader:
        reader.next()
        key_id = kim.get("/v1/me").json["key_id"]
        kim.post(f"/v1/keys/{key_id}/revoke", {"reason": "lost"})
        (ended,) = reader.events(1)
        assert (ended.event, ended.data) == ("end", {"code": "ACCESS_KEY_REFUSED"})
        assert reader.next() is None


def test_a_server_that_stops_ends_its_streams_with_a_word(
    floor: Floor, engine_database: str
) -> None:
    key = key_of(floor.session, new_user(floor.session, "trader"))
    told: list[Told] = []

    def follow(web: Web) -> None:
        with reading(web) as reader:
            told.extend(reader.events(1))

    with served(engine_database) as web:
        following = Thread(target=follow, args=(web.with_key(key),))
        following.start()
        pause(1)
        began = monotonic_seconds()
    following.join()
    assert monotonic_seconds() - began < 5
    assert [(each.event, each.data) for each in told] == [("end", {"code": "SERVER_STOPPING"})]


def test_a_key_has_few_streams_and_one_that_left_makes_room(
    floor: Floor, kim: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(routes, "STREAMS_OF_KEY_MAX", 1)
    with reading(kim) as reader:
        reader.next()
        refused = kim.get("/v1/stream")
        assert refused.problem == (429, "HTTP_STREAMS_EXCEEDED")
        assert refused.headers["retry-after"] == "10"
    until(lambda: may_follow(kim))


def test_a_reader_that_takes_nothing_is_dropped_and_loses_nothing(
    floor: Floor, kim: Web, account: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(routes, "WRITE_SECONDS_MAX", 0.5)
    monkeypatch.setattr(routes, "HEARTBEAT_SECONDS", 0.1)
    monkeypatch.setattr(routes, "STREAMS_OF_KEY_MAX", 1)
    monkeypatch.setattr(routes, "_line", lambda _: b":" + b"x" * 10_000_000 + b"\n\n")
    with reading(kim) as reader:
        reader.next()
        with floor.engine() as engine:
            for _ in range(3):
                deal(engine, buy(account, 1000))
        assert not may_follow(kim)
        until(lambda: may_follow(kim))


@pytest.mark.parametrize(
    ("last", "problem"),
    [
        ("nonsense", (422, "HTTP_REQUEST_MALFORMED")),
        ("00000000.1.0..0.1", (409, "HTTP_PLACE_REFUSED")),
    ],
)
def test_a_place_that_cannot_be_gone_on_from_is_refused(
    kim: Web, last: str, problem: tuple[int, str]
) -> None:
    assert kim.with_headers(Last_Event_Id=last).get("/v1/stream").problem == problem


def test_a_key_that_may_not_read_follows_nothing(floor: Floor, kim: Web) -> None:
    user = new_user(floor.session, "trader")
    trades = kim.with_key(key_of(floor.session, user, [Scope.TRADE]))
    assert trades.get("/v1/stream").problem == (403, "ACCESS_DENIED")


def test_a_payment_is_told(floor: Floor, kim: Web) -> None:
    body = {
        "payment_id": new_id_text(),
        "kind": "deposit",
        "amount": "10.00",
        "currency": "USD",
        "provider": "cards",
    }
    with reading(kim) as reader:
        reader.next()
        kim.post("/v1/payments", body)
        (told,) = reader.events(1)
    assert told.event == "payment"
    assert told.data is not None
    assert (told.data["payment_id"], told.data["status"]) == (body["payment_id"], "pending")
