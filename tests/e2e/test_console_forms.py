"""The console's forms: they change what they say, in the name of who has sent them."""

from collections.abc import Iterator
from decimal import Decimal
from urllib.parse import urlencode

import pytest

from tests.cast import list_market, open_account, open_wallet, play, value
from tests.conftest import LogIn
from tests.console import PLAIN, ROOT, STAFF, Browser, served_console, signed_in
from tests.db.test_suspense import refused_deposit
from tests.web import key_of, new_user
from tradewright import payments
from tradewright.core.ids import new_id_text
from tradewright.payments import (
    Origin,
    Payment,
    PaymentKind,
    PaymentRequest,
    PaymentStatus,
    Provider,
)
from tradewright.payments.suspense import list_suspense
from tradewright.postgres.connect import Session
from tradewright.risk.breaker_store import BreakerSettings, add_breaker
from tradewright.risk.breakers import BreakerKind


@pytest.fixture
def port(engine_database: str) -> Iterator[int]:
    with served_console(engine_database) as served:
        yield served


def stop(browser: Browser, **fields: str) -> str:
    """Send the form that stops trading; return the code of its error, or what is told."""
    usual = {"scope": "all", "target": "", "mode": "halted", "reason": "a drill"}
    answer = browser.send("/dealer/halts", "/dealer/halt", **{**usual, **fields})
    return answer.text if answer.status == 200 else answer.code


def waiting_withdrawal(session: Session, user_id: str) -> Payment:
    """Let a user ask for a withdrawal that an officer must look at."""
    open_wallet(session, user_id, "5000")
    request = PaymentRequest(
        payment_id=new_id_text(),
        user_id=user_id,
        kind=PaymentKind.WITHDRAWAL,
        currency="USD",
        amount=Decimal("1500.25"),
        provider=Provider.CARDS,
        destination="card-1",
        origin=Origin("a device never seen", "203.0.113.9"),
    )
    with session.transaction():
        payment = payments.start_payment(session, request)
    assert payment.status is PaymentStatus.REQUIRES_APPROVAL
    return payment


def kept(session: Session, table: str, row_id: str) -> tuple[object, ...]:
    """Return actor and reason of the last change that is recorded of a row."""
    row = session.execute(
        "SELECT actor, reason FROM audit_log WHERE table_name = %s AND row_id = %s"
        " ORDER BY seq DESC LIMIT 1",
        (table, row_id),
    ).fetchone()
    assert row is not None
    return tuple(row)


def test_trading_is_stopped_and_resumed_by_who_says_why(port: int, engine: Session) -> None:
    list_market(engine)
    browser, user_id = signed_in(port, engine, "risk_officer")
    assert "Halted" in stop(browser, scope="instrument", target="EURUSD", reason="the peg broke")
    row = engine.execute(
        "SELECT id::text, mode, symbol, set_by, reason FROM trading_halts"
    ).fetchone()
    assert row is not None
    assert row[1:] == ("halted", "EURUSD", f"user:{user_id}", "the peg broke")
    assert kept(engine, "trading_halts", row[0])[0] == f"user:{user_id}"
    assert "Trading 1 halt" in browser.get("/").text
    resumed = browser.send("/dealer/halts", "/dealer/resume", reason="calm again")
    assert "Trading is resumed there" in resumed.text
    lifted = engine.execute("SELECT lifted_by, lifted_reason FROM trading_halts").fetchone()
    assert lifted == (f"user:{user_id}", "calm again")


def test_an_account_is_left_to_reduce_only(port: int, engine: Session) -> None:
    account = open_account(engine, new_user(engine))
    browser, _ = signed_in(port, engine, "dealer")
    told = stop(browser, scope="account", target=account, mode="reduce_only")
    assert "only be reduced" in told
    assert (
        value(engine, "SELECT mode FROM trading_halts WHERE account_id = %s", account)
        == "reduce_only"
    )


def test_a_halt_takes_the_place_of_a_reduce_only(port: int, engine: Session) -> None:
    browser, user_id = signed_in(port, engine, "dealer")
    stop(browser, mode="reduce_only", reason="odd")
    assert "Halted" in stop(browser, reason="worse")
    assert engine.execute(
        "SELECT mode, set_by, reason FROM trading_halts WHERE lifted_at IS NULL"
    ).fetchall() == [("halted", f"user:{user_id}", "worse")]


NOTHING_TO_STOP = (
    ({"scope": "instrument", "target": "NOPE"}, "INSTRUMENT_UNKNOWN"),
    ({"scope": "group", "target": "nobodys"}, "ACCOUNT_GROUP_UNKNOWN"),
    ({"scope": "account", "target": new_id_text()}, "ACCOUNT_UNKNOWN"),
    ({"scope": "account", "target": "x"}, "CONSOLE_FORM_MALFORMED"),
    ({"scope": "account"}, "CONSOLE_FORM_MALFORMED"),
    ({"scope": "all", "target": "EURUSD"}, "CONSOLE_FORM_MALFORMED"),
    ({"scope": "nobody"}, "CONSOLE_FORM_MALFORMED"),
    ({"mode": "sideways"}, "CONSOLE_FORM_MALFORMED"),
    ({"reason": " "}, "CONSOLE_FORM_MALFORMED"),
    ({"reason": "x" * 501}, "CONSOLE_FORM_MALFORMED"),
)


def test_a_stop_that_says_nothing_to_stop_is_refused(port: int, engine: Session) -> None:
    browser, _ = signed_in(port, engine, "dealer")
    for fields, code in NOTHING_TO_STOP:
        assert stop(browser, **fields) == code, fields
    assert value(engine, "SELECT count(*) FROM trading_halts") == 0


def test_a_dealer_stops_and_does_not_resume(port: int, engine: Session) -> None:
    browser, _ = signed_in(port, engine, "dealer")
    stop(browser)
    page = browser.get("/dealer/halts")
    assert f"{ROOT}/dealer/resume" not in page.read().forms
    token = page.read().forms[f"{ROOT}/dealer/halt"]["form_token"]
    fields = {"form_token": token, "scope": "all", "target": "", "reason": "I want to"}
    assert browser.post("/dealer/resume", fields).code == "ACCESS_DENIED"
    assert value(engine, "SELECT count(*) FROM trading_halts WHERE lifted_at IS NULL") == 1


def test_a_payment_is_approved_by_the_officer_with_the_reason(port: int, engine: Session) -> None:
    payment = waiting_withdrawal(engine, new_user(engine))
    browser, user_id = signed_in(port, engine, "payments_officer")
    assert payment.id in browser.get("/payments").html
    page = f"/payments/{payment.id}"
    told = browser.send(page, f"{page}/approve", reason="the account holder was called")
    assert "The payment is approved" in told.text
    found = payments.find_payment(engine, payment.id)
    assert (found.status, found.approved_by) == (PaymentStatus.PROCESSING, user_id)
    expected = (f"user:{user_id}", "the account holder was called")
    assert kept(engine, "payment_transactions", payment.id) == expected
    assert payment.id not in browser.get("/payments").html


def test_a_payment_is_refused_by_the_officer_with_the_reason(port: int, engine: Session) -> None:
    payment = waiting_withdrawal(engine, new_user(engine))
    browser, user_id = signed_in(port, engine, "payments_officer")
    page = f"/payments/{payment.id}"
    assert (
        "The payment is refused" in browser.send(page, f"{page}/refuse", reason="not his card").text
    )
    found = payments.find_payment(engine, payment.id)
    assert (found.status, found.failure_reason) == (PaymentStatus.FAILED, "not his card")
    assert kept(engine, "payment_transactions", payment.id) == (f"user:{user_id}", "not his card")


def test_a_payment_that_has_changed_since_it_was_shown_is_not_decided_about(
    port: int, engine: Session
) -> None:
    payment = waiting_withdrawal(engine, new_user(engine))
    browser, _ = signed_in(port, engine, "payments_officer")
    page = f"/payments/{payment.id}"
    for decision in ("approve", "refuse"):
        fields = browser.get(page).read().forms[f"{ROOT}{page}/{decision}"]
        stale = {**fields, "seen": "conflicted", "reason": "as I saw it"}
        refused = browser.post(f"{page}/{decision}", stale)
        assert (refused.status, refused.code) == (409, "PAYMENT_STATE_REFUSED")
        odd = browser.post(f"{page}/{decision}", {**stale, "seen": "x"})
        assert odd.code == "CONSOLE_FORM_MALFORMED"
    assert payments.find_payment(engine, payment.id).status is PaymentStatus.REQUIRES_APPROVAL


def test_a_decision_that_is_sent_twice_is_made_once(port: int, engine: Session) -> None:
    payment = waiting_withdrawal(engine, new_user(engine))
    browser, _ = signed_in(port, engine, "payments_officer")
    page = f"/payments/{payment.id}"
    fields = browser.get(page).read().forms[f"{ROOT}{page}/approve"]
    for _ in range(2):
        sent = browser.post(f"{page}/approve", {**fields, "reason": "called"})
        assert sent.status == 303
    moved = "SELECT count(*) FROM audit_log WHERE row_id = %s AND reason = 'called'"
    assert value(engine, moved, payment.id) == 1


def test_nobody_decides_about_a_payment_of_his_own(port: int, engine: Session) -> None:
    browser, user_id = signed_in(port, engine, "payments_officer")
    payment = waiting_withdrawal(engine, user_id)
    page = f"/payments/{payment.id}"
    for decision in ("approve", "refuse"):
        refused = browser.send(page, f"{page}/{decision}", reason="it is mine")
        assert (refused.status, refused.code) == (409, "PAYMENT_APPROVAL_REFUSED")
        assert "Four eyes: the officer who decides is never the owner." in refused.text
    assert payments.find_payment(engine, payment.id).status is PaymentStatus.REQUIRES_APPROVAL


def test_what_is_in_suspense_is_sent_back_once_by_another_officer(
    port: int, engine: Session
) -> None:
    browser, user_id = signed_in(port, engine, "payments_officer")
    payment = refused_deposit(engine, new_user(engine, "payments_officer"))
    refused_deposit(engine, user_id)
    items = list_suspense(engine, count_max=9)
    item, own = sorted(items, key=lambda each: each.payment_id != payment.id)
    assert "stolen card" in browser.get("/payments/suspense").text
    path = f"/payments/suspense/{item.id}/send-back"
    fields = browser.get("/payments/suspense").read().forms[f"{ROOT}{path}"]
    for _ in range(2):
        assert browser.post(path, {**fields, "reason": "not his card"}).status == 303
    row_id = value(engine, "SELECT id::text FROM suspense_returns")
    assert kept(engine, "suspense_returns", str(row_id)) == (f"user:{user_id}", "not his card")
    assert f"{ROOT}{path}" not in browser.get("/payments/suspense").read().forms
    mine = f"/payments/suspense/{own.id}/send-back"
    refused = browser.send("/payments/suspense", mine, reason="mine")
    assert (refused.status, refused.code) == (409, "PAYMENT_SUSPENSE_RETURN_REFUSED")


def test_who_only_looks_at_payments_decides_about_none(port: int, engine: Session) -> None:
    payment = waiting_withdrawal(engine, new_user(engine))
    browser, _ = signed_in(port, engine, "compliance_officer")
    page = browser.get(f"/payments/{payment.id}")
    assert f"{ROOT}/payments/{payment.id}/approve" not in page.read().forms
    assert "waits for a payments officer" in page.text


def test_alerts_are_acknowledged_one_or_many_by_name(port: int, engine: Session) -> None:
    play(engine)
    for what in ("one", "two", "three"):
        engine.execute(
            "INSERT INTO alerts (severity, kind, about, what)"
            " VALUES ('critical', 'job_failing', %s, %s)",
            (what, what),
        )
    browser, user_id = signed_in(port, engine, "administrator")
    forms = browser.get("/").read().forms[f"{ROOT}/alerts/acknowledge"]
    named = "SELECT count(*) FROM alerts WHERE acknowledged_by = %s"
    browser.post("/alerts/acknowledge", {"form_token": forms["form_token"]})  # none is chosen
    assert value(engine, named, f"user:{user_id}") == 0
    browser.post("/alerts/acknowledge", forms)
    assert value(engine, named, f"user:{user_id}") == 1
    rest = engine.execute(
        "SELECT id::text FROM alerts WHERE kind = 'job_failing' AND acknowledged_at IS NULL"
    ).fetchall()
    fields = [("form_token", forms["form_token"]), *(("alert", row[0]) for row in rest)]
    browser.ask("POST", f"{ROOT}/alerts/acknowledge", urlencode(fields))
    assert value(engine, named, f"user:{user_id}") == 1 + len(rest)
    wrong = browser.post("/alerts/acknowledge", {**forms, "alert": "x"})
    assert (wrong.status, wrong.code) == (400, "CONSOLE_FORM_MALFORMED")


def test_a_breaker_is_triggered_and_reset_by_a_person(port: int, engine: Session) -> None:
    settings = BreakerSettings(code="all-stop", kind=BreakerKind.MANUAL)
    add_breaker(engine, settings, actor="tests", reason="to test")
    browser, user_id = signed_in(port, engine, "risk_officer")
    action = "/risk/breakers/all-stop/move"
    told = browser.send("/risk/breakers", action, move="trigger", reason="the feed is odd")
    assert "The circuit breaker is moved" in told.text
    last = "SELECT to_state, actor, reason FROM circuit_breaker_events ORDER BY seq DESC LIMIT 1"
    assert engine.execute(last.encode()).fetchone() == (
        *("triggered", f"user:{user_id}", "the feed is odd"),
    )
    browser.send("/risk/breakers", action, move="reset", reason="it was the clock")
    assert (
        value(engine, "SELECT to_state FROM circuit_breaker_events ORDER BY seq DESC LIMIT 1")
        == "armed"
    )
    again = browser.send("/risk/breakers", action, move="reset", reason="once more")
    assert (again.status, again.code) == (409, "BREAKER_MOVED")
    dealer, _ = signed_in(port, engine, "dealer")
    assert dealer.send("/risk/breakers", action, move="reset", reason="no").code == "ACCESS_DENIED"
    assert (
        dealer.send("/risk/breakers", action, move="x", reason="no").code
        == "CONSOLE_FORM_MALFORMED"
    )


def test_a_key_in_the_cookie_is_no_session(port: int, engine: Session) -> None:
    browser = Browser(port)
    browser.cookies["tradewright_session"] = key_of(engine, new_user(engine, *STAFF))
    assert browser.get("/").place == f"{ROOT}/sign-in"


def test_the_rights_of_an_operator_are_enough(log_in: LogIn, engine: Session) -> None:
    play(engine)
    add_breaker(
        engine,
        BreakerSettings(code="all-stop", kind=BreakerKind.MANUAL),
        actor="tests",
        reason="to test",
    )
    payment = waiting_withdrawal(engine, new_user(engine))
    with served_console(log_in("operator")) as port:
        browser, _ = signed_in(port, engine, *STAFF)
        for path in PLAIN:
            assert browser.get(path).status == 200, path
        assert "Halted" in stop(browser)
        assert "Trading halted" in browser.get("/").text
        assert "resumed" in browser.send("/dealer/halts", "/dealer/resume", reason="calm").text
        page = f"/payments/{payment.id}"
        assert "is approved" in browser.send(page, f"{page}/approve", reason="called").text
        move = {"move": "trigger", "reason": "odd"}
        moved = browser.send("/risk/breakers", "/risk/breakers/all-stop/move", **move)
        assert "is moved" in moved.text
        assert "laws hold" in browser.send("/", "/laws/check").text
        assert "Acknowledged" in browser.send("/", "/alerts/acknowledge").text
