"""The console's door: who is let in, where, by which form, and what each answer forbids."""

from collections.abc import Iterator
from urllib.parse import quote

import pytest
from psycopg_pool import PoolTimeout

from tests.cast import value
from tests.console import ROOT, STAFF, Browser, served_console, signed_in
from tests.web import key_of, new_user, served
from tradewright.access import Role, Scope
from tradewright.access.rules import ACTIONS
from tradewright.console.app import POLICY
from tradewright.console.model import Method, Page, Shown, Visit
from tradewright.console.pages import PAGES
from tradewright.console.refusals import status_of, told_of
from tradewright.postgres.connect import Session

SOME_ID = "0199c1d2-7f0a-7e3b-9a51-0123456789ab"


def path_of(page: Page) -> str:
    """Return the address of a page, with ids of nothing."""
    parts = page.path.split("/")
    return "/".join("x" if part == "{code}" else SOME_ID if "{" in part else part for part in parts)


LOOKS = [page for page in PAGES if page.method is Method.LOOK]
SENDS = [page for page in PAGES if page.method is Method.SEND]


@pytest.fixture
def port(engine_database: str) -> Iterator[int]:
    with served_console(engine_database) as served:
        yield served


def test_a_page_without_a_session_leads_to_the_door_and_from_there_to_the_page(
    port: int, engine: Session
) -> None:
    browser = Browser(port)
    turned = browser.get("/orders?symbol=EURUSD")
    assert turned.place == f"{ROOT}/sign-in?to={quote('/orders?symbol=EURUSD', safe='')}"
    fields = turned.read().forms[f"{ROOT}/sign-in"]
    key = key_of(engine, new_user(engine, "dealer"))
    entered = browser.post("/sign-in", {**fields, "key": key})
    assert (entered.status, entered.headers["location"]) == (303, f"{ROOT}/orders?symbol=EURUSD")


ELSEWHERE = ("https://evil.example", "//evil.example", "/\\evil.example", "/\r\nx: y", "x")


def test_the_door_leads_to_no_other_site(port: int, engine: Session) -> None:
    key = key_of(engine, new_user(engine, "dealer"))
    for elsewhere in ELSEWHERE:
        browser = Browser(port)
        fields = browser.get("/sign-in").read().forms[f"{ROOT}/sign-in"]
        entered = browser.post("/sign-in", {**fields, "key": key, "to": elsewhere})
        assert (entered.status, entered.headers["location"]) == (303, f"{ROOT}/")


def test_a_wrong_key_is_refused_with_what_why_and_what_to_do(port: int) -> None:
    refused = Browser(port).send("/sign-in", "/sign-in", key="tw_key_wrong")
    assert (refused.status, refused.code) == (403, "ACCESS_KEY_REFUSED")
    assert "Why" in refused.text
    assert "What to do" in refused.text


def test_a_key_that_is_not_for_the_staff_opens_no_session(port: int, engine: Session) -> None:
    key = key_of(engine, new_user(engine, "dealer"), [Scope.READ, Scope.TRADE])
    browser = Browser(port)
    refused = browser.send("/sign-in", "/sign-in", key=key)
    assert (refused.status, refused.code) == (403, "ACCESS_DENIED")
    assert "tradewright_session" not in browser.cookies


def test_the_cookie_is_for_no_script_and_no_other_site(port: int, engine: Session) -> None:
    browser = Browser(port)
    fields = browser.get("/sign-in").read().forms[f"{ROOT}/sign-in"]
    browser.post("/sign-in", {**fields, "key": key_of(engine, new_user(engine, "dealer"))})
    (cookie,) = (one for one in browser.set_cookies if one.startswith("tradewright_session="))
    terms = {term.strip().lower() for term in cookie.split(";")[1:]}
    assert {"httponly", "samesite=strict"} <= terms
    assert "secure" not in terms


def test_behind_tls_cookies_are_for_tls_alone(engine_database: str) -> None:
    with served_console(engine_database, is_behind_tls=True) as port:
        browser = Browser(port)
        browser.get("/sign-in")
        assert all("secure" in cookie.lower() for cookie in browser.set_cookies)
        assert browser.set_cookies


def test_who_has_signed_out_is_out(port: int, engine: Session) -> None:
    browser, _ = signed_in(port, engine, "dealer")
    kept = dict(browser.cookies)
    assert browser.send("/", "/sign-out").place == f"{ROOT}/sign-in"
    browser.cookies = kept
    assert browser.get("/").place == f"{ROOT}/sign-in"


def test_a_revoked_key_ends_the_session(port: int, engine: Session) -> None:
    browser, user_id = signed_in(port, engine, "dealer")
    engine.execute(
        "INSERT INTO api_key_revocations (key_id, revoked_by, reason)"
        " SELECT id, 'tests', 'lost' FROM api_keys WHERE user_id = %s",
        (user_id,),
    )
    assert browser.get("/").place == f"{ROOT}/sign-in"


@pytest.mark.parametrize("role", list(Role))
def test_each_page_asks_for_its_role(port: int, engine: Session, role: Role) -> None:
    browser = Browser(port)
    key = key_of(engine, new_user(engine, role))
    browser.send("/sign-in", "/sign-in", key=key)
    for page in LOOKS:
        answer = browser.get(path_of(page))
        if role in ACTIONS[page.action].roles:
            assert answer.status in {200, 404}, (page.path, answer.text)
        else:
            assert (answer.status, answer.code) == (403, "ACCESS_DENIED"), page.path
    for page in SENDS:
        if role not in ACTIONS[page.action].roles:
            sent = browser.post(path_of(page), {})
            assert (sent.status, sent.code) == (403, "ACCESS_DENIED"), page.path


def test_the_menu_leads_only_where_somebody_may_go(port: int, engine: Session) -> None:
    browser, _ = signed_in(port, engine, "payments_officer")
    menu = browser.get("/").text.split("Sign out", maxsplit=1)[0]
    assert "Payments" in menu
    assert "Dealer" not in menu
    assert "Migrations" not in menu


def test_a_form_without_its_token_or_with_anothers_is_refused(port: int, engine: Session) -> None:
    browser, _ = signed_in(port, engine, *STAFF)
    other, _ = signed_in(port, engine, *STAFF)
    anothers = other.get("/").read().forms[f"{ROOT}/laws/check"]["form_token"]
    for page in (*SENDS, Page(SENDS[0].action, "/sign-out", SENDS[0].work, Method.SEND)):
        for token in ("", "é", anothers):
            sent = browser.post(path_of(page), {"form_token": token})
            assert (sent.status, sent.code) == (403, "CONSOLE_FORM_REFUSED"), page.path
    sent = Browser(port).post("/sign-in", {"key": "x"})
    assert (sent.status, sent.code) == (403, "CONSOLE_FORM_REFUSED")


def test_a_form_that_another_site_sends_is_refused(port: int, engine: Session) -> None:
    browser, _ = signed_in(port, engine, *STAFF)
    fields = browser.get("/").read().forms[f"{ROOT}/laws/check"]
    for site in ("cross-site", "same-site"):
        sent = browser.post("/laws/check", fields, sec_fetch_site=site)
        assert (sent.status, sent.code) == (403, "CONSOLE_FORM_REFUSED")
    assert browser.post("/laws/check", fields, sec_fetch_site="same-origin").status == 303


def test_a_form_that_cannot_be_read_is_refused(port: int, engine: Session) -> None:
    browser, _ = signed_in(port, engine, *STAFF)
    for body in ("x=" + "y" * 17_000, "a=%ff", "reason=%00", "&".join(["a=b"] * 2000)):
        sent = browser.ask("POST", f"{ROOT}/dealer/halt", body)
        assert (sent.status, sent.code) == (400, "CONSOLE_FORM_MALFORMED"), body[:20]
    assert browser.ask("POST", f"{ROOT}/dealer/halt", "x=" + "y" * 70_000).status == 413


def test_every_answer_forbids_what_is_from_elsewhere(port: int, engine: Session) -> None:
    browser, _ = signed_in(port, engine, *STAFF)
    for path in ("/", "/sign-in", "/nothing-here", "/static/console.css"):
        headers = browser.get(path).headers
        assert headers["content-security-policy"] == POLICY
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
    assert "unsafe" not in POLICY
    assert browser.get("/").headers["cache-control"] == "no-store"


def test_a_page_cannot_write_whatever_its_work_tries(
    engine_database: str, engine: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write(visit: object) -> object:
        visit.session.execute("DELETE FROM user_roles")  # type: ignore[attr-defined]
        return None

    wrong = Page(LOOKS[0].action, "/writes", write)  # type: ignore[arg-type]
    monkeypatch.setattr("tradewright.console.app.PAGES", (*PAGES, wrong))
    with served_console(engine_database) as port:
        browser, _ = signed_in(port, engine, *STAFF)
        refused = browser.get("/writes")
        assert (refused.status, refused.code) == (503, "DATABASE_READ_ONLY")


def test_who_serves_clients_shows_no_console_unless_told_so(engine_database: str) -> None:
    with served(engine_database) as web:
        assert web.get(f"{ROOT}/").problem == (404, "HTTP_ROUTE_UNKNOWN")
        assert web.get(f"{ROOT}/sign-in").problem == (404, "HTTP_ROUTE_UNKNOWN")


def test_who_comes_when_all_sessions_are_in_use_is_told_to_try_again() -> None:
    told = told_of(PoolTimeout("couldn't get a connection after 10.00 sec"))
    assert (status_of(told), told.code) == (503, "DATABASE_UNREACHABLE")
    assert "Try again" in told.hint


def test_what_is_not_there_is_told_as_such(port: int, engine: Session) -> None:
    browser, _ = signed_in(port, engine, *STAFF)
    assert browser.get("/nothing-here").code == "CONSOLE_PAGE_UNKNOWN"
    assert browser.get(f"/orders/{SOME_ID}").code == "ORDER_UNKNOWN"
    assert browser.get("/orders/x").code == "CONSOLE_PAGE_UNKNOWN"
    assert browser.get(f"/payments/{SOME_ID}").code == "PAYMENT_UNKNOWN"
    assert browser.get(f"/clients/{SOME_ID}").code == "USER_UNKNOWN"
    assert browser.get("/audit/trail?id=x").code == "CONSOLE_FORM_MALFORMED"


def test_a_page_that_looks_again_keeps_no_session_up(port: int, engine: Session) -> None:
    browser, user_id = signed_in(port, engine, "dealer")
    age = (
        "UPDATE console_sessions SET last_used_at = last_used_at - interval '20 minutes'"
        " WHERE key_id = (SELECT id FROM api_keys WHERE user_id = %s)"
    )
    engine.execute("SET session_replication_role = replica")  # a use is never noted earlier
    for _ in range(2):  # nobody has done anything for forty minutes
        engine.execute(age.encode(), (user_id,))
        looked = browser.ask("GET", f"{ROOT}/", x_looks_again="1")
    assert looked.status == 303
    assert looked.headers["location"].startswith(f"{ROOT}/sign-in")


def test_who_signs_in_again_has_left_the_session_before(port: int, engine: Session) -> None:
    browser, user_id = signed_in(port, engine, "dealer")
    old = dict(browser.cookies)
    browser.send("/sign-in", "/sign-in", key=key_of(engine, user_id))
    assert browser.get("/").status == 200
    browser.cookies = old
    assert browser.get("/").place == f"{ROOT}/sign-in"


def test_what_a_page_shows_is_of_one_moment(
    engine_database: str, engine: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted: list[object] = []

    def count_twice(visit: Visit) -> Shown:
        for _ in range(2):
            counted.append(value(visit.session, "SELECT count(*) FROM users"))
            new_user(engine)
        return Shown("drift.html", {"differences": None})

    page = Page(LOOKS[0].action, "/counts", count_twice)
    monkeypatch.setattr("tradewright.console.app.PAGES", (*PAGES, page))
    with served_console(engine_database) as port:
        browser, _ = signed_in(port, engine, *STAFF)
        assert browser.get("/counts").status == 200
    assert counted[0] == counted[1]
