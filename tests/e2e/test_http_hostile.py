"""Nothing that comes in over HTTP is answered with a defect, and roles of the database suffice."""

from collections.abc import Iterator
from urllib.parse import quote

import pytest

from tests.conftest import LogIn
from tests.e2e.test_http_stream import may_follow
from tests.floor import Floor
from tests.web import Answered, Web, key_of, new_user, served
from tradewright.access import Role
from tradewright.core.ids import new_id_text
from tradewright.server.http.house import HttpSettings
from tradewright.trading.inquiry import find_account

TEXTS = [
    "",
    " ",
    "\x00",
    "a\x00b",
    "'",
    "\N{GRINNING FACE}",
    "%",
    "../..",
    "NaN",
    "-1",
    "0",
    "9" * 40,
    "x" * 3_000,
]
"""What a word may be that somebody sends who means no good, or slips."""

JSONS: list[object] = [
    None,
    True,
    0,
    -1,
    1e308,
    10**30,
    "",
    "\x00",
    "x" * 3_000,
    [],
    {},
    [[]],
    {"a": {}},
]


@pytest.fixture
def web(floor: Floor, engine_database: str) -> Iterator[Web]:
    """Give a server before no engine, asked by somebody with every role."""
    settings = HttpSettings(requests_per_second=100_000, burst=100_000)
    with served(engine_database, settings=settings) as address:
        yield address.with_key(key_of(floor.session, new_user(floor.session, *Role)))


def must_be_sound(answer: Answered, asked: object) -> None:
    """Refuse a defect, a status that is not described, and a refusal that is no problem."""
    assert answer.status in {200, 201, 401, 403, 404, 405, 409, 413, 422, 503}, (asked, answer.body)
    if answer.status >= 400:
        assert answer.problem[0] == answer.status, asked
    if answer.status == 503:
        assert answer.json["code"] == "ENGINE_UNREACHABLE", (asked, answer.body)


def test_no_parameter_makes_a_defect(web: Web) -> None:
    asked = 0
    for path, operations in web.get("/v1/openapi.json").json["paths"].items():
        for method, operation in operations.items():
            for each in operation.get("parameters", []):
                if each["in"] == "header" or path == "/v1/stream":
                    continue
                for text in TEXTS:
                    place = path
                    if each["in"] == "path":
                        place = place.replace("{" + each["name"] + "}", quote(text, safe=""))
                    else:
                        place += f"?{each['name']}={quote(text, safe='')}"
                    place = place.replace("{currency}", "USD")
                    while "{" in place:
                        head, _, tail = place.partition("{")
                        place = head + new_id_text() + tail.partition("}")[2]
                    must_be_sound(web.ask(method.upper(), place, {}), (method, place))
                    asked += 1
    assert asked > 300


def test_no_field_of_a_body_makes_a_defect(web: Web, floor: Floor) -> None:
    account = floor.account()
    own = web.with_key(key_of(floor.session, find_account(floor.session, account).user_id))
    bodies: dict[str, dict[str, object]] = {
        f"/v1/accounts/{account}/orders": {
            "client_order_id": "x",
            "symbol": "EURUSD",
            "side": "buy",
            "quantity": "1000",
            "order_type": "limit",
            "time_in_force": "gtd",
            "limit_price": "1.1",
            "stop_price": None,
            "expires_at": "2030-01-01T00:00:00Z",
            "oco_group": "g",
            "is_post_only": False,
        },
        f"/v1/accounts/{account}/transfers": {
            "direction": "to_wallet",
            "amount": "1",
            "transaction_id": new_id_text(),
        },
        "/v1/payments": {
            "payment_id": new_id_text(),
            "kind": "deposit",
            "amount": "1",
            "currency": "USD",
            "provider": "cards",
            "destination": None,
            "device": "d",
        },
        "/v1/halts/stop": {
            "scope": "instrument",
            "target": "EURUSD",
            "reason": "x",
            "mode": "halted",
        },
    }
    for path, body in bodies.items():
        asker = web if "halts" in path else own
        for field in body:
            for value in JSONS:
                sent = {**body, field: value}
                must_be_sound(asker.post(path, sent), (path, sent))


def test_no_body_makes_a_defect(web: Web) -> None:
    for body in (b"", b"\x00", b"\xff\xfe", b'{"a":', b"[" * 1_000, b'{"a": NaN}', b'"x"', b"null"):
        for kind in ("application/json", "text/plain", "x", "application/x-www-form-urlencoded"):
            asker = web.with_headers(Content_Type=kind)
            must_be_sound(asker.ask("POST", "/v1/payments", body), (kind, body))


def test_no_header_makes_a_defect(web: Web) -> None:
    for name in ("Idempotency-Key", "Deadline-Ms", "Last-Event-ID", "Cookie", "Origin"):
        for text in ("", "x" * 3_000, "-1", "0", "1e9", "\xe9", "a;b=c", "'"):
            asker = web.with_headers(**{name: text})
            is_place = name == "Last-Event-ID" and text != ""
            answer = asker.get("/v1/stream") if is_place else asker.post("/v1/payments", {})
            must_be_sound(answer, (name, text))


def test_clients_are_served_with_the_rights_of_the_application(floor: Floor, log_in: LogIn) -> None:
    account = floor.account()
    key = key_of(floor.session, find_account(floor.session, account).user_id)
    with served(log_in("app")) as web:
        assert web.get("/readyz").status == 200
        kim = web.with_key(key)
        for path in ("/me", "/keys", "/accounts", "/orders", "/positions", "/wallets", "/payments"):
            assert kim.get(f"/v1{path}").status == 200, path
        body = {"kind": "deposit", "amount": "1", "currency": "USD", "provider": "cards"}
        assert kim.post("/v1/payments", {**body, "payment_id": new_id_text()}).status == 201
        assert may_follow(kim)
        key_id = kim.get("/v1/me").json["key_id"]
        assert kim.post(f"/v1/keys/{key_id}/revoke", {"reason": "lost"}).status == 200
    assert floor.one("SELECT count(*) FROM api_key_uses") == 1


def test_staff_change_things_with_the_rights_of_an_operator_alone(
    floor: Floor, log_in: LogIn
) -> None:
    officer = key_of(floor.session, new_user(floor.session, "risk_officer"))
    aim = {"scope": "instrument", "target": "EURUSD", "reason": "broke"}
    with served(log_in("app")) as web:
        refused = web.with_key(officer).post("/v1/halts/stop", aim)
        assert refused.problem == (500, "DATABASE_PERMISSION_DENIED")
    with served(log_in("operator")) as web:
        staff = web.with_key(officer)
        assert staff.post("/v1/halts/stop", aim).status == 200
        assert staff.post("/v1/halts/resume", aim).json == {"halts": []}
        assert staff.get("/v1/laws").json["hold"] is True
