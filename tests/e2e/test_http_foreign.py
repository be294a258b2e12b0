"""Whatever route is asked, what is another user's is as if it were not there; staff go by role.

The routes are those that the interface itself describes, so one that is added is asked here too.
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from tests.db.test_suspense import refused_deposit
from tests.floor import Floor, buy, deal
from tests.web import Answered, Web, key_of, new_user, served
from tradewright import ledger
from tradewright.access import ACTIONS, Action, Role, Scope
from tradewright.core.ids import new_id_text
from tradewright.payments import (
    ClaimKind,
    ClaimOrder,
    PaymentKind,
    PaymentRequest,
    Provider,
    request_refund,
    start_payment,
)
from tradewright.payments.steps import credit_deposit
from tradewright.postgres.connect import Session
from tradewright.trading.inquiry import find_account, list_orders, list_positions
from tradewright.trading.registry import AccountSettings, open_account

BODIES: dict[str, dict[str, object]] = {
    "/v1/keys/{key_id}/revoke": {"reason": "x"},
    "/v1/accounts/{account_id}/orders": {
        "client_order_id": "x",
        "symbol": "EURUSD",
        "side": "buy",
        "quantity": "1000",
    },
    "/v1/accounts/{account_id}/transfers": {
        "direction": "to_wallet",
        "amount": "1",
        "transaction_id": new_id_text(),
    },
    "/v1/orders/{order_id}/replace": {"client_order_id": "y", "quantity": "2000"},
    "/v1/positions/{position_id}/close": {"client_order_id": "z"},
    "/v1/positions/{position_id}/close-by": {
        "by_position_id": new_id_text(),
        "close_by_id": new_id_text(),
    },
    "/v1/positions/{position_id}": {"amendment_id": new_id_text(), "stop_loss": "1"},
    "/v1/accounts/{account_id}/orders/cancel": {},
    "/v1/accounts/{account_id}/positions/close": {"client_order_id": "all"},
    "/v1/payments/{payment_id}/deny": {"reason": "x"},
    "/v1/payments/{payment_id}/refunds": {
        "claim_id": new_id_text(),
        "amount": "1",
        "reason": "x",
    },
    "/v1/suspense/{item_id}/send-back": {"return_id": new_id_text(), "reason": "x"},
    "/v1/payments": {
        "payment_id": new_id_text(),
        "kind": "deposit",
        "amount": "1",
        "currency": "USD",
        "provider": "cards",
    },
    "/v1/halts/stop": {"reason": "x"},
    "/v1/halts/resume": {"reason": "x"},
}
"""What is sent where a route takes a body."""

CHANGING = frozenset({"POST", "PATCH"})

STAFF = {
    "/v1/users": Action.READ_CLIENTS,
    "/v1/laws": Action.READ_LAWS,
    "/v1/audit/{row_id}": Action.READ_AUDIT,
    "/v1/halts": Action.READ_RISK,
    "/v1/halts/stop": Action.STOP_TRADING,
    "/v1/halts/resume": Action.RESUME_TRADING,
    "/v1/breaches": Action.READ_RISK,
    "/v1/alerts": Action.READ_RISK,
    "/v1/alerts/{alert_id}/acknowledge": Action.ACKNOWLEDGE_ALERTS,
    "/v1/payments/{payment_id}/approve": Action.DECIDE_PAYMENTS,
    "/v1/payments/{payment_id}/deny": Action.DECIDE_PAYMENTS,
    "/v1/payments/{payment_id}/refunds": Action.DECIDE_PAYMENTS,
    "/v1/suspense": Action.READ_PAYMENTS,
    "/v1/suspense/{item_id}/send-back": Action.DECIDE_PAYMENTS,
}
"""Routes of staff alone, with the action that each takes."""


EVERYBODY = {"/v1/instruments/{symbol}"}
"""Routes that show every caller the same."""


def deposited(session: Session, user: str, amount: int) -> str:
    """Let a deposit by card succeed; return its id."""
    request = PaymentRequest(
        payment_id=new_id_text(),
        user_id=user,
        kind=PaymentKind.DEPOSIT,
        currency="USD",
        amount=Decimal(amount),
        provider=Provider.CARDS,
    )
    with session.transaction():
        credit_deposit(session, start_payment(session, request), reference=new_id_text())
    return request.payment_id


def refunded(session: Session, payment_id: str) -> str:
    """Let an officer begin a refund; return its id."""
    order = ClaimOrder(
        claim_id=new_id_text(), kind=ClaimKind.REFUND, amount=Decimal(3), reason="asked for"
    )
    officer = new_user(session, "payments_officer")
    with session.transaction():
        request_refund(session, order, payment_id=payment_id, officer_id=officer)
    return order.claim_id


@pytest.fixture
def victim(floor: Floor) -> dict[str, str]:
    """Give somebody with one of everything, by the name of the id in a path."""
    session = floor.session
    account = floor.account()
    user = find_account(session, account).user_id
    with floor.engine() as engine:
        deal(engine, buy(account, 1000))
    ledger.credit(session, user, "USD", Decimal(90), transaction_id=new_id_text())
    payment = PaymentRequest(
        payment_id=new_id_text(),
        user_id=user,
        kind=PaymentKind.DEPOSIT,
        currency="USD",
        amount=Decimal(10),
        provider=Provider.CARDS,
    )
    with session.transaction():
        start_payment(session, payment)
    key_of(session, user)
    return {
        "user_id": user,
        "account_id": account,
        "order_id": list_orders(session, account_id=account, count_max=1)[0].id,
        "position_id": list_positions(session, account_id=account, count_max=1)[0].id,
        "payment_id": payment.payment_id,
        "claim_id": refunded(session, deposited(session, user, 3)),
        "symbol": "EURUSD",
        "key_id": floor.one("SELECT id::text FROM api_keys WHERE user_id = %s", user),
        "row_id": account,
        "alert_id": new_id_text(),
        "item_id": new_id_text(),
        "currency": "USD",
    }


@pytest.fixture
def web(engine_database: str) -> Iterator[Web]:
    with served(engine_database) as address:
        yield address


def routes(web: Web) -> list[tuple[str, str, list[str]]]:
    """Return method, path and the ids that a path or query takes, of every described route."""
    told = web.get("/v1/openapi.json").json
    found = []
    for path, operations in told["paths"].items():
        for method, operation in operations.items():
            names = [
                one["name"]
                for one in operation.get("parameters", [])
                if one["in"] in ("path", "query") and one["name"].endswith(("_id", "currency"))
            ]
            found.append((method.upper(), path, names))
    assert len(found) >= 30
    return [one for one in found if one[1].startswith("/v1/")]


def asked(web: Web, method: str, path: str, ids: dict[str, str], query: str = "") -> Any:
    body = BODIES.get(path) if method in CHANGING else None
    return web.ask(method, path.format(**ids) + query, body)


def bare(answer: Answered, ids: dict[str, str]) -> str:
    """Return a problem without the ids that it names, and without its own."""
    text = answer.body.decode()
    for each in (answer.json["instance"], *ids.values()):
        text = text.replace(each, "ID")
    return text


def test_an_id_of_another_user_is_told_like_one_that_does_not_exist(
    web: Web, floor: Floor, victim: dict[str, str]
) -> None:
    eve = web.with_key(key_of(floor.session, new_user(floor.session, "trader")))
    unknown = {name: new_id_text() for name in victim} | {"currency": "USD", "symbol": "NONE"}
    walked = 0
    for method, path, _ in routes(web):
        if "{" not in path or path in {*STAFF, *EVERYBODY}:
            continue
        theirs = asked(eve, method, path, victim)
        nothing = asked(eve, method, path, unknown)
        assert theirs.status == nothing.status == 404, (method, path, theirs.body)
        assert bare(theirs, victim) == bare(nothing, unknown), (method, path)
        walked += 1
    assert walked >= 14


def test_lists_show_nothing_of_another_user(web: Web, floor: Floor, victim: dict[str, str]) -> None:
    eve = web.with_key(key_of(floor.session, new_user(floor.session, "trader")))
    walked = 0
    for method, path, names in routes(web):
        if method != "GET" or "{" in path or path in STAFF or path == "/v1/stream":
            continue
        secrets = {value for name, value in victim.items() if name not in {"currency", "symbol"}}
        plain = asked(eve, method, path, victim)
        assert plain.status == 200
        assert not any(each in plain.body.decode() for each in secrets), path
        for name in set(names) & {"user_id", "account_id"}:
            found = asked(eve, method, path, victim, f"?{name}={victim[name]}")
            assert found.problem in {(403, "ACCESS_DENIED"), (404, "ACCOUNT_UNKNOWN")}, path
            walked += 1
    assert walked >= 7


def test_nothing_of_what_was_asked_for_was_done(
    web: Web, floor: Floor, victim: dict[str, str]
) -> None:
    before = floor.rows("SELECT count(*), max(seq) FROM audit_log")
    eve = web.with_key(key_of(floor.session, new_user(floor.session, "trader")))
    told = floor.rows("SELECT count(*) FROM audit_log")
    for method, path, _ in routes(web):
        if method in CHANGING and path != "/v1/payments":
            asked(eve, method, path, victim)
    assert floor.rows("SELECT count(*) FROM audit_log") == told
    assert before != told
    assert floor.rows("SELECT FROM api_key_revocations") == []


def test_without_a_key_no_route_answers(web: Web, victim: dict[str, str]) -> None:
    for method, path, _ in routes(web):
        answer = asked(web, method, path, victim)
        assert answer.problem == (401, "ACCESS_REQUIRED"), (method, path)


def test_staff_read_what_is_anybodys_by_their_roles(
    web: Web, floor: Floor, victim: dict[str, str]
) -> None:
    ann = web.with_key(key_of(floor.session, new_user(floor.session, "compliance_officer")))
    assert ann.get(f"/v1/accounts/{victim['account_id']}").json["id"] == victim["account_id"]
    for path in ("orders", "positions", "claims"):
        (one,) = ann.get(f"/v1/{path}?user_id={victim['user_id']}").json[path]
        assert victim["user_id"] == one.get("user_id", victim["user_id"])
        assert ann.get(f"/v1/{path}/{one['id']}").status == 200
    assert ann.get(f"/v1/wallets/USD?user_id={victim['user_id']}").json["available"] == "90"
    assert ann.get(f"/v1/users/{victim['user_id']}").json["roles"] == ["trader"]
    trail = ann.get(f"/v1/audit/{victim['payment_id']}").json["entries"]
    assert {each["source"] for each in trail} >= {"payment_transactions", "fraud_checks"}


def test_staff_change_nothing_of_a_client_but_by_their_own_actions(
    web: Web, floor: Floor, victim: dict[str, str]
) -> None:
    everything = web.with_key(key_of(floor.session, new_user(floor.session, *Role)))
    for method, path, _ in routes(web):
        if method not in CHANGING or "{" not in path or path in STAFF or "keys" in path:
            continue
        assert asked(everything, method, path, victim).status == 404, path


def test_each_route_of_staff_takes_its_action(
    web: Web, floor: Floor, victim: dict[str, str]
) -> None:
    described = {path for _, path, _ in routes(web)}
    assert set(STAFF) <= described
    others = {
        action: key_of(floor.session, new_user(floor.session, *(set(Role) - ACTIONS[action].roles)))
        for action in set(STAFF.values())
    }
    for method, path, _ in routes(web):
        if path in STAFF:
            stranger = web.with_key(others[STAFF[path]])
            if path == "/v1/alerts":
                continue
            assert asked(stranger, method, path, victim).problem == (403, "ACCESS_DENIED"), path


def test_a_role_does_nothing_with_a_key_that_is_not_for_staff(
    web: Web, floor: Floor, victim: dict[str, str]
) -> None:
    user = new_user(floor.session, *Role)
    plain = web.with_key(key_of(floor.session, user, [Scope.READ, Scope.TRADE, Scope.PAY]))
    for method, path, _ in routes(web):
        if path in STAFF:
            assert asked(plain, method, path, victim).problem == (403, "ACCESS_DENIED"), path
    found = plain.get(f"/v1/accounts/{victim['account_id']}")
    assert found.problem == (404, "ACCOUNT_UNKNOWN")


def test_a_risk_officer_stops_and_resumes_trading_and_a_dealer_only_stops(
    web: Web, floor: Floor
) -> None:
    dealer = web.with_key(key_of(floor.session, new_user(floor.session, "dealer")))
    user = new_user(floor.session, "risk_officer")
    officer = web.with_key(key_of(floor.session, user))
    aim = {"scope": "instrument", "target": "EURUSD", "reason": "broke"}
    assert dealer.post("/v1/halts/stop", aim).json == {"accounts": 0, "orders": 0}
    assert dealer.post("/v1/halts/stop", aim).status == 200
    (halt,) = officer.get("/v1/halts").json["halts"]
    assert (halt["mode"], halt["target"], halt["reason"]) == ("halted", "EURUSD", "broke")
    only = {**aim, "mode": "reduce_only"}
    assert officer.post("/v1/halts/stop", only).problem == (409, "TRADING_HALT_EXISTS")
    assert dealer.post("/v1/halts/resume", aim).problem == (403, "ACCESS_DENIED")
    assert officer.post("/v1/halts/resume", aim).json == {"halts": []}
    assert officer.post("/v1/halts/resume", aim).problem == (404, "TRADING_HALT_UNKNOWN")
    nowhere = {**aim, "target": "NOWHERE"}
    assert officer.post("/v1/halts/resume", nowhere).problem == (404, "INSTRUMENT_UNKNOWN")
    (alert, *_) = officer.get("/v1/alerts").json["alerts"]
    path = f"/v1/alerts/{alert['id']}/acknowledge"
    assert officer.post(path, None).json == {"count": 1}
    assert officer.post(path, None).json == {"count": 0}
    seen = officer.get("/v1/alerts?with_acknowledged=true").json["alerts"]
    assert f"user:{user}" in {each["acknowledged_by"] for each in seen}


def test_a_payment_takes_four_eyes(web: Web, floor: Floor) -> None:
    session = floor.session
    kim, ann = (
        new_user(session, "trader", "payments_officer"),
        new_user(session, "payments_officer"),
    )
    ledger.credit(session, kim, "USD", Decimal(20_000), transaction_id=new_id_text())
    own, officer = web.with_key(key_of(session, kim)), web.with_key(key_of(session, ann))
    body = {
        "kind": "withdrawal",
        "amount": "6000.00",
        "currency": "USD",
        "provider": "cards",
        "destination": "card-1",
    }
    asked_for = [own.post("/v1/payments", {**body, "payment_id": new_id_text()}) for _ in range(2)]
    assert [each.json["status"] for each in asked_for] == ["requires_approval"] * 2
    first, second = (f"/v1/payments/{each.json['id']}" for each in asked_for)
    queue = officer.get("/v1/payments?everybody=true&status=requires_approval").json["payments"]
    assert len(queue) == 2
    assert own.post(f"{first}/approve", None).problem == (409, "PAYMENT_APPROVAL_REFUSED")
    assert officer.post(f"{first}/approve", None).json["status"] == "processing"
    denied = officer.post(f"{second}/deny", {"reason": "no proof of funds"})
    assert (denied.json["status"], denied.json["failure_reason"]) == ("failed", "no proof of funds")
    assert officer.post(f"{second}/approve", None).problem == (409, "PAYMENT_STATE_REFUSED")
    assert own.get("/v1/wallets/USD").json["reserved"] == "6000"
    acted = floor.rows(
        "SELECT DISTINCT actor FROM audit_log WHERE table_name = 'payment_transactions'"
    )
    assert {f"user:{kim}", f"user:{ann}"} <= {row[0] for row in acted}


def test_a_refund_takes_four_eyes_and_is_made_once(web: Web, floor: Floor) -> None:
    session = floor.session
    kim = new_user(session, "trader", "payments_officer")
    own, officer, reader = (
        web.with_key(key_of(session, each))
        for each in (kim, new_user(session, "payments_officer"), new_user(session, "dealer"))
    )
    ledger.credit(session, kim, "USD", Decimal(500), transaction_id=new_id_text())
    payment_id = deposited(session, kim, 100)
    path = f"/v1/payments/{payment_id}/refunds"
    body = {"claim_id": new_id_text(), "amount": "25.50", "reason": "asked for"}
    assert own.post(path, body).problem == (409, "PAYMENT_APPROVAL_REFUSED")
    assert reader.post(path, body).problem == (403, "ACCESS_DENIED")
    first, again = officer.post(path, body), officer.post(path, body)
    assert (first.status, first.json["status"], first.json["amount"]) == (201, "pending", "25.5")
    assert (again.status, again.json) == (200, first.json)
    assert officer.post(path, {**body, "amount": "26"}).problem == (
        409,
        "MONEY_IDEMPOTENCY_CONFLICT",
    )
    more = {**body, "claim_id": new_id_text(), "amount": "75.00"}
    assert officer.post(path, more).problem == (409, "PAYMENT_CLAIM_EXCEEDED")
    finer = {**more, "amount": "1.001"}
    assert officer.post(path, finer).problem == (422, "INPUT_AMOUNT_OVER_SCALED")
    assert own.get("/v1/wallets/USD").json["held"]["refund"] == "25.5"
    for asked_by in (own, officer):
        assert asked_by.get(f"/v1/claims/{body['claim_id']}").json == first.json
    listed = own.get(f"/v1/claims?payment_id={payment_id}").json["claims"]
    assert (
        listed
        == officer.get("/v1/claims?everybody=true&kind=refund&with_ended=false").json["claims"]
    )
    assert [each["id"] for each in listed] == [body["claim_id"]]
    assert officer.get("/v1/claims?everybody=true&kind=dispute").json["claims"] == []
    assert own.get("/v1/claims?everybody=true").status == 200
    assert reader.get("/v1/claims?everybody=true").problem == (403, "ACCESS_DENIED")
    assert floor.broken_laws() == {}


def test_what_is_in_suspense_is_sent_back_by_another_officer_and_once(
    web: Web, floor: Floor
) -> None:
    session = floor.session
    first, second = (new_user(session, "payments_officer") for _ in "ab")
    putter, officer = (web.with_key(key_of(session, each)) for each in (first, second))
    payment = refused_deposit(session, first)
    [item] = officer.get("/v1/suspense").json["items"]
    assert (item["payment_id"], item["amount"], item["state"]) == (payment.id, "100", "held")
    path = f"/v1/suspense/{item['id']}/send-back"
    body = {"return_id": new_id_text(), "reason": "stolen card"}
    assert putter.post(path, body).problem == (409, "PAYMENT_SUSPENSE_RETURN_REFUSED")
    made, again = officer.post(path, body), officer.post(path, body)
    assert (made.status, made.json["status"], made.json["amount"]) == (201, "pending", "100")
    assert (again.status, again.json) == (200, made.json)
    other = {**body, "return_id": new_id_text()}
    assert officer.post(path, other).problem == (409, "PAYMENT_SUSPENSE_RETURN_REFUSED")
    [item] = officer.get("/v1/suspense?limit=1").json["items"]
    assert (item["state"], item["returned_by"]) == ("going back", second)
    reader = web.with_key(key_of(session, new_user(session, "dealer")))
    assert reader.get("/v1/suspense").problem == (403, "ACCESS_DENIED")
    acted = "SELECT actor FROM audit_log WHERE table_name = 'suspense_returns'"
    assert floor.rows(acted) == [(f"user:{second}",)]
    assert floor.broken_laws() == {}


def test_every_user_and_account_is_reached_page_by_page_while_more_come(
    web: Web, floor: Floor
) -> None:
    owner = new_user(floor.session, "trader")
    terms = AccountSettings(currency="USD", leverage=30)
    accounts = [open_account(floor.session, owner, terms) for _ in range(5)]
    ann = new_user(floor.session, "compliance_officer")
    users = {str(row[0]) for row in floor.rows("SELECT id FROM users")}
    staff = web.with_key(key_of(floor.session, ann))

    def paged(path: str, name: str) -> list[str]:
        page = staff.get(f"{path}limit=2").json
        seen = [each["id"] for each in page[name]]
        while page["next"] is not None:
            new_user(floor.session)
            page = staff.get(f"{path}limit=2&cursor={page['next']}").json
            seen += [each["id"] for each in page[name]]
        return seen

    assert paged(f"/v1/accounts?user_id={owner}&", "accounts") == accounts[::-1]
    seen = paged("/v1/users?", "users")
    assert len(seen) == len(set(seen))
    assert users <= set(seen)


def test_the_laws_are_told_to_staff(web: Web, floor: Floor, victim: dict[str, str]) -> None:
    ann = web.with_key(key_of(floor.session, new_user(floor.session, "risk_officer")))
    told = ann.get("/v1/laws").json
    assert told["hold"] is True
    assert len(told["laws"]) > 40
    assert all(each["broken"] == 0 for each in told["laws"].values())
