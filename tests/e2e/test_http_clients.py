"""What clients do over HTTP: read their own, trade through a real engine, and move their money."""

import json
import re
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from tests.e2e.docs_session import first_failure
from tests.floor import Floor
from tests.web import Web, key_of, new_user, served
from tradewright import ledger
from tradewright.access import Scope
from tradewright.core.ids import new_id_text
from tradewright.server.commands import read_command, written_report
from tradewright.server.http.house import HttpSettings
from tradewright.server.order_line import OrderLine, bound_socket
from tradewright.trading.engine import Engine
from tradewright.trading.inquiry import find_account
from tradewright.trading.model import Command, Report

RESTS: dict[str, object] = {
    "order_type": "limit",
    "time_in_force": "gtc",
    "limit_price": "1.05000",
}
"""What makes an order to buy rest."""

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "http-api.md"


@dataclass(slots=True)
class Client:
    """A client with an account of 10,000 USD, who asks over HTTP."""

    web: Web
    user: str
    account: str

    def order(self, **fields: object) -> dict[str, object]:
        """Return the body of an order to buy."""
        usual = {"symbol": "EURUSD", "side": "buy", "quantity": "1000"}
        return {"client_order_id": new_id_text(), **usual, **fields}

    def submit(self, **fields: object) -> Any:
        """Ask for an order, which must be taken; return its report."""
        answer = self.web.post(f"/v1/accounts/{self.account}/orders", self.order(**fields))
        assert answer.status == 201, answer.body
        return answer.json


@dataclass(slots=True)
class Stage:
    """A floor with an engine behind a socket, and the house over HTTP in front of it."""

    floor: Floor
    engine: Engine
    web: Web

    def client(self, deposit: str = "10000") -> Client:
        """Open a client with an account and a key."""
        account = self.floor.account(deposit)
        user = find_account(self.floor.session, account).user_id
        return Client(self.web.with_key(key_of(self.floor.session, user)), user, account)


@contextmanager
def line_of(engine: Engine, place: Path) -> Iterator[None]:
    with bound_socket(place) as bound:
        line = OrderLine(bound, engine.submit)
        try:
            yield
        finally:
            line.close()


@pytest.fixture
def stage(floor: Floor, engine_database: str, tmp_path: Path) -> Iterator[Stage]:
    place = tmp_path / "orders.sock"
    with (
        floor.engine() as engine,
        line_of(engine, place),
        served(engine_database, socket=place) as web,
    ):
        yield Stage(floor, engine, web)


def test_an_order_is_dealt_and_shown_with_its_events(stage: Stage) -> None:
    kim = stage.client()
    report = kim.submit(quantity="1000.00")
    assert (report["status"], report["filled_quantity"]) == ("filled", "1000")
    shown = kim.web.get(f"/v1/orders/{report['order_id']}").json
    assert shown["order"]["average_price"] == report["average_price"]
    assert [each["event_type"] for each in shown["events"]] == ["new", "trade"]
    assert "book" not in shown["order"]
    (position,) = kim.web.get(f"/v1/positions?account_id={kim.account}").json["positions"]
    assert (position["symbol"], position["quantity"]) == ("EURUSD", "1000")
    (trade,) = kim.web.get(f"/v1/accounts/{kim.account}/trades").json["trades"]
    assert (trade["order_id"], trade["position_id"]) == (report["order_id"], position["id"])
    account = kim.web.get(f"/v1/accounts/{kim.account}").json
    assert account["used_margin"] is not None
    assert Decimal(account["equity"]) == Decimal(account["balance"]) - Decimal("0.10")
    assert stage.floor.broken_laws() == {}


def test_the_same_order_again_is_answered_and_not_done_twice(stage: Stage) -> None:
    kim = stage.client()
    body, path = kim.order(), f"/v1/accounts/{kim.account}/orders"
    first, again = kim.web.post(path, body), kim.web.post(path, body)
    assert (first.status, again.status) == (201, 200)
    assert again.json == {**first.json, "is_replay": True}
    other = kim.web.post(path, {**body, "quantity": "2000"})
    assert other.problem == (409, "ORDER_DUPLICATE_DIFFERS")
    assert stage.floor.position(kim.account) == 1000


def test_the_key_of_a_command_may_stand_in_the_header(stage: Stage) -> None:
    kim = stage.client()
    path, body = f"/v1/accounts/{kim.account}/orders", kim.order()
    key = body.pop("client_order_id")
    assert kim.web.post(path, body).problem == (422, "HTTP_REQUEST_MALFORMED")
    named = kim.web.with_headers(Idempotency_Key=str(key))
    assert named.post(path, body).json["client_order_id"] == key
    assert named.post(path, body).status == 200
    two = named.post(path, {**body, "client_order_id": "other"})
    assert two.problem == (422, "HTTP_REQUEST_MALFORMED")
    assert "two keys" in two.json["what"]


def test_a_denied_order_is_an_order_that_was_rejected(stage: Stage) -> None:
    kim = stage.client()
    report = kim.submit(quantity="1000000")
    assert (report["status"], report["refused_by"]) == ("rejected", "house")
    assert report["refusal_code"] == "ORDER_MARGIN_INSUFFICIENT"


def test_a_resting_order_is_found_by_its_key_replaced_and_canceled(stage: Stage) -> None:
    kim = stage.client()
    rests = {"order_type": "limit", "time_in_force": "gtc", "limit_price": "1.05000"}
    report = kim.submit(client_order_id="first", **rests)
    found = kim.web.get(f"/v1/orders?account_id={kim.account}&client_order_id=first").json
    assert [each["id"] for each in found["orders"]] == [report["order_id"]]
    path = f"/v1/orders/{report['order_id']}"
    replaced = kim.web.post(
        f"{path}/replace", {"client_order_id": "second", "limit_price": "1.06000"}
    )
    assert (replaced.status, replaced.json["client_order_id"]) == (200, "second")
    assert kim.web.get(path).json["order"]["limit_price"] == "1.06"
    assert kim.web.post(f"{path}/cancel", None).json["status"] == "canceled"
    assert kim.web.post(f"{path}/cancel", None).problem == (409, "ORDER_ENDED")


def test_a_position_is_closed_in_parts_once_for_each_key(stage: Stage) -> None:
    kim = stage.client()
    kim.submit(quantity="3000")
    (position,) = kim.web.get("/v1/positions").json["positions"]
    path = f"/v1/positions/{position['id']}/close"
    part = {"quantity": "1000", "client_order_id": "part"}
    assert kim.web.post(path, part).status == 201
    assert kim.web.post(path, part).status == 200
    assert stage.floor.position(kim.account) == 2000
    assert kim.web.post(path, {"client_order_id": "rest"}).json["status"] == "filled"
    assert kim.web.get("/v1/positions").json["positions"] == []
    (closed,) = kim.web.get("/v1/positions?with_closed=true").json["positions"]
    assert closed["is_open"] is False


def test_levels_of_a_position_are_patched_once_for_each_key(stage: Stage) -> None:
    kim = stage.client()
    kim.submit(quantity="3000", stop_loss="1.05000", take_profit="1.20000")
    (position,) = kim.web.get("/v1/positions").json["positions"]
    path, key = f"/v1/positions/{position['id']}", new_id_text()
    body = {"amendment_id": key, "stop_loss": "1.06000"}
    first, again = (kim.web.ask("PATCH", path, body) for _ in range(2))
    assert (first.status, first.json) == (
        200,
        {
            "amendment_id": key,
            "position_id": position["id"],
            "stop_loss": "1.06",
            "take_profit": "1.2",
            "is_replay": False,
        },
    )
    assert again.json == {**first.json, "is_replay": True}
    other = kim.web.ask("PATCH", path, {**body, "take_profit": None})
    assert other.problem == (409, "POSITION_AMENDMENT_DIFFERS")
    named = kim.web.with_headers(Idempotency_Key=new_id_text())
    assert named.ask("PATCH", path, {"take_profit": None}).json["take_profit"] is None
    shown = kim.web.get(path).json
    assert (shown["stop_loss"], shown["take_profit"]) == ("1.06", None)


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ({"stop_loss": "1.30000"}, (409, "ORDER_PROTECTION_ON_WRONG_SIDE")),
        ({"stop_loss": "1.000001"}, (422, "ORDER_PRICE_OFF_TICK")),
        ({"stop_loss": 1.05}, (422, "HTTP_REQUEST_MALFORMED")),
        ({"stop_loss": "NaN"}, (422, "HTTP_REQUEST_MALFORMED")),
        ({"stop_los": "1.05"}, (422, "HTTP_REQUEST_MALFORMED")),
        ({}, (409, "POSITION_LEVELS_UNCHANGED")),
        ({"take_profit": None}, (409, "POSITION_LEVELS_UNCHANGED")),
    ],
)
def test_a_patch_that_means_nothing_is_refused(
    stage: Stage, body: dict[str, object], problem: tuple[int, str]
) -> None:
    kim = stage.client()
    kim.submit(quantity="3000")
    (position,) = kim.web.get("/v1/positions").json["positions"]
    path = f"/v1/positions/{position['id']}"
    assert kim.web.ask("PATCH", path, {"amendment_id": new_id_text(), **body}).problem == problem
    assert kim.web.ask("PATCH", path, body).problem == (422, "HTTP_REQUEST_MALFORMED")


def test_an_account_is_shown_whole_with_what_closing_it_would_bring(stage: Stage) -> None:
    kim = stage.client()
    kim.submit(quantity="3000")
    kim.submit(client_order_id="rests", **RESTS)
    kim.submit(quantity="1000000")
    shown = kim.web.get(f"/v1/accounts/{kim.account}/overview").json
    (position,), (order,) = shown["positions"], shown["orders"]
    assert (order["client_order_id"], shown["is_whole"]) == ("rests", True)
    assert (position["quantity"], position["current_price"]) == ("3000", "1.1")
    assert position["unrealised_pnl"] == "-0.3"
    account = shown["account"]
    assert Decimal(account["equity"]) == Decimal(account["balance"]) - Decimal("0.3")
    assert account == kim.web.get(f"/v1/accounts/{kim.account}").json
    nothing = stage.client()
    empty = nothing.web.get(f"/v1/accounts/{nothing.account}/overview").json
    assert (empty["positions"], empty["orders"], empty["is_whole"]) == ([], [], True)


def test_all_orders_of_an_account_are_canceled_and_of_no_other(stage: Stage) -> None:
    kim, eve = stage.client(), stage.client()
    ids = [kim.submit(**RESTS)["order_id"] for _ in range(3)]
    other = kim.submit(**{**RESTS, "symbol": "GBPUSD", "limit_price": "1.00000"})["order_id"]
    eve.submit(**RESTS)
    path = f"/v1/accounts/{kim.account}/orders/cancel"
    told = kim.web.post(path, {"symbol": "EURUSD"}).json
    assert {each["id"]: each["status"] for each in told["ended"]} == dict.fromkeys(ids, "canceled")
    assert told["goes_on"] is False
    rest = kim.web.post(path, {}).json["ended"]
    assert [(each["id"], each["code"]) for each in rest] == [(other, None)]
    assert kim.web.post(path, {}).json == {"ended": [], "goes_on": False}
    assert len(eve.web.get("/v1/orders?status=new").json["orders"]) == 1
    reads = stage.web.with_key(key_of(stage.floor.session, kim.user, [Scope.READ]))
    assert reads.post(path, {}).problem == (403, "ACCESS_DENIED")


def test_all_positions_of_an_account_are_closed_each_once(stage: Stage) -> None:
    kim = stage.client()
    stage.floor.quote(stage.engine, "GBPUSD", "1.30000", "1.30010")
    for symbol in ("EURUSD", "GBPUSD"):
        kim.submit(symbol=symbol, quantity="2000")
    path = f"/v1/accounts/{kim.account}/positions/close"
    one = kim.web.post(path, {"client_order_id": "out", "symbol": "GBPUSD"}).json["ended"]
    assert [each["status"] for each in one] == ["filled"]
    (left,) = kim.web.get("/v1/positions").json["positions"]
    assert left["symbol"] == "EURUSD"
    told = kim.web.post(path, {"client_order_id": "out"}).json
    assert [(each["id"], each["status"]) for each in told["ended"]] == [(left["id"], "filled")]
    order = kim.web.get(f"/v1/orders/{told['ended'][0]['order_id']}").json["order"]
    assert order["client_order_id"] == f"out.{left['id']}"
    assert kim.web.post(path, {"client_order_id": "out"}).json["ended"] == []
    long = kim.web.post(path, {"client_order_id": "x" * 28})
    assert long.problem == (422, "HTTP_REQUEST_MALFORMED")
    assert stage.floor.broken_laws() == {}


def test_what_becomes_of_each_is_told_when_an_engine_falls_silent_between(
    stage: Stage, tmp_path: Path, engine_database: str
) -> None:
    kim = stage.client()
    for _ in range(3):
        kim.submit(**RESTS)
    place = tmp_path / "failing.sock"
    with bound_socket(place) as bound, served(engine_database, socket=place) as web:
        bound.listen(1)

        def answer_one() -> None:
            connection, _ = bound.accept()
            with connection, connection.makefile("rb") as lines:
                command = read_command(lines.readline())
                connection.sendall(written_report(stage.engine.submit(command).result()))

        Thread(target=answer_one, daemon=True).start()
        path = f"/v1/accounts/{kim.account}/orders/cancel"
        told = web.with_key(kim.web.key).post(path, {}).json["ended"]
    unknown = (None, "ENGINE_OUTCOME_UNKNOWN")
    assert [(each["status"], each["code"]) for each in told] == [
        ("canceled", None),
        unknown,
        unknown,
    ]


def test_what_is_traded_is_told_with_its_sessions_prices_and_the_time(stage: Stage) -> None:
    kim = stage.client()
    trades = stage.web.with_key(key_of(stage.floor.session, kim.user, [Scope.TRADE]))
    listed = trades.get("/v1/instruments").json["instruments"]
    assert [each["symbol"] for each in listed] == ["EURGBP", "EURUSD", "GBPUSD", "USDJPY"]
    euro = trades.get("/v1/instruments/EURUSD").json
    assert euro == listed[1]
    assert (euro["quantity_step"], euro["price_tick"]) == ("1000", "0.00001")
    assert trades.get("/v1/instruments/NONE").problem == (404, "INSTRUMENT_UNKNOWN")
    kim.submit()
    (quote,) = trades.get("/v1/quotes").json["quotes"]
    assert (quote["symbol"], quote["bid"], quote["ask"]) == ("EURUSD", "1.1", "1.1001")
    assert trades.get("/v1/time").json["now"].endswith("Z")


def test_money_moves_between_account_and_wallet_once_for_each_key(stage: Stage) -> None:
    kim = stage.client()
    body = {"direction": "to_wallet", "amount": "250.50", "transaction_id": new_id_text()}
    path = f"/v1/accounts/{kim.account}/transfers"
    first, again = kim.web.post(path, body), kim.web.post(path, body)
    assert (first.status, first.json["balance"]) == (201, "9749.5")
    assert (again.status, again.json["is_replay"]) == (200, True)
    other = kim.web.post(path, {**body, "amount": "1"})
    assert other.problem == (409, "MONEY_IDEMPOTENCY_CONFLICT")
    too_much = {"direction": "to_wallet", "amount": "10000", "transaction_id": new_id_text()}
    assert kim.web.post(path, too_much).problem == (409, "MONEY_INSUFFICIENT_FUNDS")
    (wallet,) = kim.web.get("/v1/wallets").json["wallets"]
    assert wallet == {
        "currency": "USD",
        "status": "active",
        "available": "250.5",
        "reserved": "0",
        "version": wallet["version"],
    }
    entries = kim.web.get("/v1/wallets/USD/entries").json
    assert entries["entries"][0]["transaction_id"] == body["transaction_id"]
    assert stage.floor.broken_laws() == {}


def test_pages_show_everything_once_also_while_more_is_written(stage: Stage) -> None:
    kim = stage.client()
    ids = [kim.submit(quantity="1000")["order_id"] for _ in range(5)]
    seen, cursor = [], ""
    while True:
        page = kim.web.get(f"/v1/orders?limit=2{cursor}").json
        seen += [each["id"] for each in page["orders"]]
        kim.submit(quantity="1000")
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    assert seen == ids[::-1]
    versions, cursor = [], ""
    while True:
        page = kim.web.get(f"/v1/accounts/{kim.account}/entries?limit=1{cursor}").json
        versions += [each["version"] for each in page["entries"]]
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    assert versions == list(range(len(versions), 0, -1))
    trades = kim.web.get(f"/v1/accounts/{kim.account}/trades?limit=3").json
    older = kim.web.get(f"/v1/accounts/{kim.account}/trades?limit=200&cursor={trades['next']}").json
    assert len(trades["trades"]) == 3
    assert len({each["id"] for each in trades["trades"] + older["trades"]}) == 8


def test_a_key_without_the_scope_does_nothing_of_it(stage: Stage) -> None:
    kim = stage.client()
    reads = stage.web.with_key(key_of(stage.floor.session, kim.user, [Scope.READ]))
    trades = stage.web.with_key(key_of(stage.floor.session, kim.user, [Scope.TRADE]))
    orders = f"/v1/accounts/{kim.account}/orders"
    transfers = f"/v1/accounts/{kim.account}/transfers"
    money = {"direction": "to_wallet", "amount": "1", "transaction_id": new_id_text()}
    payment = {"kind": "deposit", "amount": "1", "currency": "USD", "provider": "cards"}
    denied = (403, "ACCESS_DENIED")
    assert reads.post(orders, kim.order()).problem == denied
    assert reads.post(transfers, money).problem == denied
    assert reads.post("/v1/payments", {**payment, "payment_id": new_id_text()}).problem == denied
    assert trades.post(transfers, money).problem == denied
    assert trades.get("/v1/accounts").problem == denied
    assert trades.post(orders, kim.order()).status == 201


def test_what_is_not_a_clients_to_say_is_refused(stage: Stage) -> None:
    kim = stage.client()
    path = f"/v1/accounts/{kim.account}/orders"
    for name, value in (("origin", "stop_out"), ("account_id", new_id_text()), ("x", 1)):
        answer = kim.web.post(path, {**kim.order(), name: value})
        assert answer.problem == (422, "HTTP_REQUEST_MALFORMED"), name


def test_a_number_is_text_of_digits(stage: Stage) -> None:
    kim = stage.client()
    path = f"/v1/accounts/{kim.account}/orders"
    for quantity in (1000, 1e3, "1e3", "NaN", "Infinity", " 1", "", "0x10", True):
        answer = kim.web.post(path, kim.order(quantity=quantity))
        assert answer.problem == (422, "HTTP_REQUEST_MALFORMED"), quantity


def test_while_no_engine_is_there_nothing_is_done_and_it_is_said_so(
    floor: Floor, engine_database: str, tmp_path: Path
) -> None:
    account = floor.account()
    user = find_account(floor.session, account).user_id
    with served(engine_database, socket=tmp_path / "orders.sock") as web:
        kim = Client(web.with_key(key_of(floor.session, user)), user, account)
        answer = kim.web.post(f"/v1/accounts/{account}/orders", kim.order())
        assert answer.problem == (503, "ENGINE_UNREACHABLE")
        assert answer.headers["retry-after"] == "1"
        assert kim.web.get(f"/v1/accounts/{account}").status == 200


def test_an_engine_that_does_not_answer_in_time_leaves_the_outcome_unknown(
    stage: Stage, tmp_path: Path, engine_database: str
) -> None:
    asked: list[tuple[Command, Future[Report]]] = []

    def sleeping(command: Command) -> "Future[Report]":
        asked.append((command, Future()))
        return asked[-1][1]

    place = tmp_path / "slow.sock"
    kim = stage.client()
    body, path = kim.order(), f"/v1/accounts/{kim.account}/orders"
    with bound_socket(place) as bound, served(engine_database, socket=place) as web:
        line = OrderLine(bound, sleeping)
        slow = web.with_key(kim.web.key).with_headers(Deadline_Ms="200")
        answer = slow.post(path, body)
        assert answer.problem == (504, "ENGINE_OUTCOME_UNKNOWN")
        command, waiting = asked[0]
        waiting.set_result(stage.engine.submit(command).result())
        line.close()
    again = kim.web.post(path, body)
    assert (again.status, again.json["status"]) == (200, "filled")
    assert stage.floor.position(kim.account) == 1000


def test_an_engine_that_hangs_up_leaves_the_outcome_unknown(
    stage: Stage, tmp_path: Path, engine_database: str
) -> None:
    place = tmp_path / "gone.sock"
    kim = stage.client()
    with bound_socket(place) as bound, served(engine_database, socket=place) as web:
        bound.listen(1)

        def hang_up() -> None:
            connection, _ = bound.accept()
            connection.recv(10_000)
            connection.close()

        Thread(target=hang_up, daemon=True).start()
        answer = web.with_key(kim.web.key).post(f"/v1/accounts/{kim.account}/orders", kim.order())
        assert answer.problem == (504, "ENGINE_OUTCOME_UNKNOWN")


@pytest.mark.parametrize("said", [b"x", b"[]", b"{}", b'{"error": {"code": "OF_ANOTHER_RELEASE"}}'])
def test_an_engine_that_says_nothing_known_leaves_the_outcome_unknown(
    floor: Floor, tmp_path: Path, engine_database: str, said: bytes
) -> None:
    account, place = floor.account(), tmp_path / "strange.sock"
    key = key_of(floor.session, find_account(floor.session, account).user_id)
    with bound_socket(place) as bound, served(engine_database, socket=place) as web:
        bound.listen(1)

        def answer() -> None:
            connection, _ = bound.accept()
            with connection:
                connection.recv(10_000)
                connection.sendall(said + b"\n")

        Thread(target=answer, daemon=True).start()
        body = {"client_order_id": "x", "symbol": "EURUSD", "side": "buy", "quantity": "1000"}
        told = web.with_key(key).post(f"/v1/accounts/{account}/orders", body)
        assert told.problem == (504, "ENGINE_OUTCOME_UNKNOWN")


def test_a_deposit_waits_for_its_provider_and_the_same_again_is_the_same(stage: Stage) -> None:
    kim = stage.client()
    body = {
        "payment_id": new_id_text(),
        "kind": "deposit",
        "amount": "100.00",
        "currency": "USD",
        "provider": "cards",
    }
    first = kim.web.post("/v1/payments", body)
    assert (first.status, first.json["status"], first.json["amount"]) == (201, "pending", "100")
    again = kim.web.post("/v1/payments", body)
    assert (again.status, again.json) == (200, first.json)
    other = kim.web.post("/v1/payments", {**body, "amount": "200.00"})
    assert other.problem == (409, "MONEY_IDEMPOTENCY_CONFLICT")
    assert len(kim.web.get("/v1/payments").json["payments"]) == 1
    assert kim.web.get(f"/v1/payments/{body['payment_id']}").json["status"] == "pending"


def test_the_id_of_somebody_elses_payment_tells_nothing_of_it(stage: Stage) -> None:
    kim, eve = stage.client(), stage.client()
    body = {"payment_id": new_id_text(), "kind": "deposit", "currency": "USD", "provider": "cards"}
    assert kim.web.post("/v1/payments", {**body, "amount": "1234.56"}).status == 201
    told = eve.web.post("/v1/payments", {**body, "amount": "7"})
    assert told.problem == (409, "MONEY_IDEMPOTENCY_CONFLICT")
    assert not [each for each in (b"1234", b"cards", b"deposit") if each in told.body]
    own = kim.web.post("/v1/payments", {**body, "amount": "7"})
    assert b"1234.56" in own.body


def test_a_time_without_its_offset_is_not_taken_for_the_servers_own(stage: Stage) -> None:
    kim = stage.client()
    path = f"/v1/accounts/{kim.account}/orders"
    rests = {"order_type": "limit", "time_in_force": "gtd", "limit_price": "1.05000"}
    for said in ("2030-01-01T00:00:00", 1893456000, "9999-12-31T23:59:59-10:00"):
        answer = kim.web.post(path, kim.order(**rests, expires_at=said))
        assert answer.problem == (422, "HTTP_REQUEST_MALFORMED"), said
    report = kim.submit(**rests, expires_at="2030-01-01T01:00:00+01:00")
    shown = kim.web.get(f"/v1/orders/{report['order_id']}").json["order"]
    assert shown["expires_at"] == "2030-01-01T00:00:00.000000Z"


def test_a_parameter_that_is_misspelt_or_said_twice_is_refused(stage: Stage) -> None:
    kim = stage.client()
    for query in ("user=x", "cursor=1", "limit=1&limit=2", "Limit=1", "x"):
        answer = kim.web.get(f"/v1/accounts?{query}")
        assert answer.problem == (422, "HTTP_REQUEST_MALFORMED"), query
    assert kim.web.get("/v1/accounts?limit=1").status == 200
    assert kim.web.post("/v1/payments?x=1", {}).problem == (422, "HTTP_REQUEST_MALFORMED")


def test_a_client_cannot_deposit_by_the_houses_own_hand(stage: Stage) -> None:
    kim = stage.client()
    body = {"payment_id": new_id_text(), "kind": "deposit", "amount": "1", "currency": "USD"}
    answer = kim.web.post("/v1/payments", {**body, "provider": "direct"})
    assert answer.problem == (422, "HTTP_REQUEST_MALFORMED")


def test_a_withdrawal_is_refused_above_the_limit_and_beyond_what_is_there(stage: Stage) -> None:
    kim = stage.client()
    ledger.credit(stage.floor.session, kim.user, "USD", Decimal(50), transaction_id=new_id_text())
    body = {"kind": "withdrawal", "currency": "USD", "provider": "cards", "destination": "card-1"}
    for amount, code in (
        ("60.00", "MONEY_INSUFFICIENT_FUNDS"),
        ("9999999", "PAYMENT_LIMIT_EXCEEDED"),
    ):
        asked = kim.web.post(
            "/v1/payments", {**body, "amount": amount, "payment_id": new_id_text()}
        )
        assert asked.problem == (409, code)
    over = kim.web.post("/v1/payments", {**body, "amount": "1.001", "payment_id": new_id_text()})
    assert over.problem == (422, "INPUT_AMOUNT_OVER_SCALED")
    (wallet,) = kim.web.get("/v1/wallets").json["wallets"]
    assert (wallet["available"], wallet["reserved"]) == ("50", "0")


def test_who_asks_too_often_is_told_when_to_ask_again(floor: Floor, engine_database: str) -> None:
    user, other = new_user(floor.session, "trader"), new_user(floor.session, "trader")
    settings = HttpSettings(requests_per_second=0.2, burst=3)
    with served(engine_database, settings=settings) as web:
        mine, theirs = (web.with_key(key_of(floor.session, each)) for each in (user, other))
        answers = [mine.get("/v1/me") for _ in range(4)]
        assert [each.status for each in answers] == [200, 200, 200, 429]
        assert answers[-1].problem == (429, "HTTP_RATE_EXCEEDED")
        assert 1 <= int(answers[-1].headers["retry-after"]) <= 6
        assert theirs.get("/v1/me").status == 200


def test_the_page_of_the_interface_lists_every_route(stage: Stage) -> None:
    told = stage.web.get("/v1/openapi.json").json["paths"]
    described = {f"{method.upper()} {path}" for path, found in told.items() for method in found}
    listed = re.findall(r"^\| `([A-Z]+ /[^`]*)` \|", PAGE.read_text(), re.MULTILINE)
    assert sorted(listed) == sorted(described)


def test_what_the_page_of_the_interface_shows_runs(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    kim = stage.client()
    assert kim.web.key is not None
    monkeypatch.setenv("ADDRESS", f"http://{kim.web.host}:{kim.web.port}")
    monkeypatch.setenv("KEY", kim.web.key)
    failed = first_failure([PAGE], tmp_path)
    assert not failed, failed
    assert stage.floor.position(kim.account) == 1000


def test_the_description_names_every_route_with_its_problems(stage: Stage) -> None:
    told = json.loads(stage.web.get("/v1/openapi.json").body)
    shared = {"401", "403", "404", "409", "413", "422", "429", "500", "503", "504"}
    for path, operations in told["paths"].items():
        for method, operation in operations.items():
            assert operation["summary"], (path, method)
            if path.startswith("/v1/"):
                assert shared <= operation["responses"].keys(), (path, method)
                assert operation["security"], (path, method)
    amount = told["components"]["schemas"]["Order"]["properties"]["quantity"]
    assert amount["type"] == "string"
