"""What is served is what the description says, whoever asks for whatever.

Every operation is asked with values that its schema allows, and with others; each answer must have
a status that the operation names, and be what the schema of that status says.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.db.test_suspense import refused_deposit
from tests.e2e.test_http_clients import RESTS, line_of
from tests.e2e.test_http_foreign import deposited, refunded
from tests.floor import Floor
from tests.schemas import Schema, faults, values_of
from tests.web import Answered, Web, key_of, new_user, served
from tradewright.access import Role
from tradewright.core.ids import new_id_text
from tradewright.payments.suspense import list_suspense
from tradewright.postgres.connect import Session
from tradewright.server.http.house import HttpSettings
from tradewright.trading.inquiry import find_account
from tradewright.trading.registry import grant_role

NO_END = "/v1/stream"
STATUSES_REACHED_MIN = 45
"""So many operations with a status must have been seen together, or too little was asked."""

JUNK: st.SearchStrategy[Any] = st.sampled_from(
    [None, True, -1, 0, 1e308, "", "\x00", "x" * 3_000, "NaN", "1e3", "-1", [], {}, [[]], "\u2603"]
)


@dataclass(slots=True)
class Walk:
    """A server with its description, asked by somebody with every role and one of everything."""

    web: Web
    whole: Schema
    ids: Mapping[str, str]
    seen: Counter[tuple[str, int]] = field(default_factory=Counter)

    @property
    def operations(self) -> list[tuple[str, str, Schema]]:
        """Return method, path and description of all operations that come to an end."""
        return [
            (method.upper(), path, told)
            for path, found in sorted(self.whole["paths"].items())
            for method, told in found.items()
            if path != NO_END
        ]

    def must_be_as_described(self, told: Schema, asked: str, answer: Answered) -> None:
        """Refuse an answer that the operation does not describe."""
        described = told["responses"].get(str(answer.status))
        assert described is not None, f"{asked}: {answer.status} is not described"
        kind = answer.headers["content-type"]
        schema = described["content"][kind]["schema"]
        assert faults(answer.json, schema, self.whole) == [], asked
        self.seen[asked, answer.status] += 1


@pytest.fixture
def walk(floor: Floor, engine_database: str, tmp_path: Path) -> Iterator[Walk]:
    account, place = floor.account(), tmp_path / "orders.sock"
    user = find_account(floor.session, account).user_id
    for role in set(Role) - {Role.TRADER}:
        grant_role(floor.session, user, role)
    bounds = HttpSettings(requests_per_second=1e6, burst=10**6)
    with (
        floor.engine() as engine,
        line_of(engine, place),
        served(engine_database, place, bounds) as address,
    ):
        web = address.with_key(key_of(floor.session, user))
        yield Walk(web, web.get("/v1/openapi.json").json, made(web, floor, user, account))


def suspended(session: Session) -> str:
    """Put money into suspense; return the item's id."""
    refused_deposit(session, new_user(session, "payments_officer"))
    return list_suspense(session, count_max=1)[0].id


def made(web: Web, floor: Floor, user: str, account: str) -> dict[str, str]:
    """Have one of everything; return the ids by the names of the parameters that take them."""
    path = f"/v1/accounts/{account}/orders"
    body = {"symbol": "EURUSD", "side": "buy", "quantity": "1000"}
    web.post(path, {**body, "client_order_id": "a"})
    order = web.post(path, {**body, **RESTS, "client_order_id": "b"}).json
    payment = deposited(floor.session, user, 100)
    other = web.with_key(key_of(floor.session, new_user(floor.session)))
    return {
        "account_id": account,
        "user_id": user,
        "order_id": order["order_id"],
        "position_id": web.get("/v1/positions").json["positions"][0]["id"],
        "payment_id": payment,
        "claim_id": refunded(floor.session, payment),
        "key_id": other.get("/v1/me").json["key_id"],
        "row_id": payment,
        "alert_id": new_id_text(),
        "item_id": suspended(floor.session),
        "currency": "USD",
        "symbol": "EURUSD",
    }


def drawn(data: st.DataObject, walk: Walk, name: str, schema: Schema) -> Any:
    """Draw a value: what there is, what the schema allows, or now and then what it does not."""
    kinds = ["known"] * 5 * (name in walk.ids) + ["valid"] * 5 + ["junk"]
    kind = data.draw(st.sampled_from(kinds), label=name)
    if kind == "known":
        return walk.ids[name]
    return data.draw(JUNK if kind == "junk" else values_of(schema, walk.whole))


def place_of(data: st.DataObject, walk: Walk, path: str, told: Schema) -> str:
    """Return path and query with drawn values."""
    query = {}
    for each in told.get("parameters", ()):
        if each["in"] == "path":
            value = drawn(data, walk, each["name"], each["schema"])
            path = path.replace("{" + each["name"] + "}", quote(str(value), safe="") or "-")
        elif each["in"] == "query" and data.draw(st.integers(0, 3)) == 0:
            value = drawn(data, walk, each["name"], each["schema"])
            query[each["name"]] = json.dumps(value) if isinstance(value, bool) else str(value)
    return f"{path}?{urlencode(query)}" if query else path


def body_of(data: st.DataObject, walk: Walk, told: Schema) -> object:
    """Return a body with drawn values, or none where none is asked for."""
    if "requestBody" not in told:
        return None
    schema = told["requestBody"]["content"]["application/json"]["schema"]
    body = data.draw(values_of(schema, walk.whole))
    known = {name: one for name, one in walk.ids.items() if name in body and name != "claim_id"}
    body |= known
    if data.draw(st.integers(0, 3)) == 0:
        body[data.draw(st.sampled_from([*body, "unknown"]))] = data.draw(JUNK)
    return body


def test_every_answer_is_what_the_description_says(walk: Walk) -> None:
    for method, path, told in walk.operations:
        plain = path.format(**walk.ids)
        walk.must_be_as_described(told, f"{method} {path}", walk.web.ask(method, plain))

    @settings(
        max_examples=200,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.data())
    def asked(data: st.DataObject) -> None:
        method, path, told = data.draw(st.sampled_from(walk.operations))
        place, body = place_of(data, walk, path, told), body_of(data, walk, told)
        walk.must_be_as_described(told, f"{method} {path}", walk.web.ask(method, place, body))

    asked()
    gets = {f"{method} {path}" for method, path, _ in walk.operations if method == "GET"}
    assert gets <= {asked for asked, status in walk.seen if status == 200}
    assert len(walk.seen) >= STATUSES_REACHED_MIN, sorted(walk.seen)


def test_an_answer_that_is_not_what_the_description_says_is_found(walk: Walk) -> None:
    walked = 0
    for method, path, told in walk.operations:
        if method != "GET":
            continue
        answer = walk.web.get(path.format(**walk.ids))
        schema = told["responses"]["200"]["content"]["application/json"]["schema"]
        for name, value in answer.json.items():
            others = {key: one for key, one in answer.json.items() if key != name}
            assert faults(others, schema, walk.whole) or "$ref" not in schema, (path, name)
            wrong = "wrong" if isinstance(value, list | dict) else [7]
            assert faults({**answer.json, name: wrong}, schema, walk.whole), (path, name)
            walked += 1
        if "$ref" in schema:
            assert faults({**answer.json, "more": 1}, schema, walk.whole), path
    assert walked > 60


def test_numbers_and_times_of_answers_have_their_form(walk: Walk) -> None:
    account = walk.web.get(f"/v1/accounts/{walk.ids['account_id']}").json
    schema = {"$ref": "#/components/schemas/Account"}
    assert faults(account, schema, walk.whole) == []
    for name, wrong in (
        ("balance", "1E+3"),
        ("balance", 1000.5),
        ("balance", None),
        ("created_at", "2026-01-13T09:30:00"),
        ("equity", "NaN"),
    ):
        assert faults({**account, name: wrong}, schema, walk.whole), (name, wrong)
