"""The console as an attacker meets it: forged forms, planted cookies, guessed keys, bad names."""

from collections.abc import Iterator
from html.parser import HTMLParser
from uuid import uuid4

import pytest
from fastapi.routing import APIRoute
from starlette.routing import Route

from tests.cast import open_account, play
from tests.console import PLAIN, ROOT, STAFF, Browser, served_console, signed_in
from tests.web import key_of, new_user
from tradewright import access
from tradewright.access import SESSION_COOKIE
from tradewright.access.rates import REFUSALS_AT_ONCE
from tradewright.console import open_console
from tradewright.console.desk import SIGN_IN_COOKIE
from tradewright.core.ids import new_id_text
from tradewright.liquidity.model import Side
from tradewright.postgres.connect import Session
from tradewright.trading.inquiry import list_orders
from tradewright.wiring import House

HOSTILE = "</td><script>alert(1)</script><img src=x onerror=alert(1)>'\"{{7*7}}<!--"


@pytest.fixture
def port(engine_database: str) -> Iterator[int]:
    with served_console(engine_database) as served:
        yield served


def posts(conninfo: str) -> list[str]:
    """Return every address of the console that takes a form, with ids of nothing."""
    with open_console(House(conninfo, None)) as console:
        routes = [one for one in console.routes if isinstance(one, (Route, APIRoute))]
        taking = [one.path for one in routes if "POST" in (one.methods or ())]
    filled = [
        "/".join(str(uuid4()) if "uuid" in part else "x" if "{" in part else part for part in parts)
        for parts in (path.removeprefix(ROOT).split("/") for path in taking)
    ]
    assert {"/sign-in", "/sign-out", "/dealer/halt", "/dealer/resume"} <= set(filled)
    return filled


def test_no_form_is_taken_that_its_page_did_not_give(
    port: int, engine: Session, engine_database: str
) -> None:
    browser, user_id = signed_in(port, engine, *STAFF)
    other, _ = signed_in(port, engine, *STAFF)
    ours = browser.get("/").read().forms[f"{ROOT}/laws/check"]["form_token"]
    anothers = other.get("/").read().forms[f"{ROOT}/laws/check"]["form_token"]
    key = key_of(engine, user_id)
    usual = {"key": key, "reason": "x", "mode": "halted", "scope": "all", "target": ""}
    forged: tuple[tuple[str, dict[str, str]], ...] = (
        ("", {}),
        (anothers, {}),
        (ours[:-1], {}),
        (browser.cookies[SESSION_COOKIE], {}),
        (ours, {"sec_fetch_site": "cross-site"}),
        (ours, {"sec_fetch_site": "same-site"}),
    )
    before = engine.execute("SELECT count(*) FROM trading_halts").fetchone()
    for path in posts(engine_database):
        for token, headers in forged:
            sent = browser.post(path, {**usual, "form_token": token}, **headers)
            assert (sent.status, sent.code) == (403, "CONSOLE_FORM_REFUSED"), (path, token)
    assert engine.execute("SELECT count(*) FROM trading_halts").fetchone() == before
    assert browser.get("/").status == 200


def test_a_form_is_taken_by_no_other_way_than_its_own(
    port: int, engine: Session, engine_database: str
) -> None:
    browser, _ = signed_in(port, engine, *STAFF)
    for path in posts(engine_database):
        for method in ("PUT", "PATCH", "DELETE"):
            assert browser.ask(method, ROOT + path, "").status == 405, path


def test_a_planted_cookie_is_no_session_and_is_replaced_at_the_door(
    port: int, engine: Session
) -> None:
    planted = f"tws_{new_id_text().replace('-', '')}{'0' * 64}"
    browser = Browser(port, cookies={SESSION_COOKIE: planted})
    assert browser.get("/").place == f"{ROOT}/sign-in"
    key = key_of(engine, new_user(engine, "dealer"))
    assert browser.send("/sign-in", "/sign-in", key=key).status == 200
    assert browser.cookies[SESSION_COOKIE] != planted
    assert Browser(port, cookies={SESSION_COOKIE: planted}).get("/").place == f"{ROOT}/sign-in"


def test_a_planted_session_of_the_attacker_is_ended_when_its_victim_signs_in(
    port: int, engine: Session
) -> None:
    attacker, _ = signed_in(port, engine, "dealer")
    victim = Browser(port, cookies=dict(attacker.cookies))
    victim.send("/sign-in", "/sign-in", key=key_of(engine, new_user(engine, "risk_officer")))
    assert attacker.get("/").place == f"{ROOT}/sign-in"
    assert victim.get("/").status == 200


def test_each_cookie_is_for_no_script_no_other_site_and_this_browser_session(
    engine_database: str, engine: Session
) -> None:
    for is_behind_tls in (False, True):
        with served_console(engine_database, is_behind_tls=is_behind_tls) as port:
            browser = Browser(port)
            fields = browser.get("/sign-in").read().forms[f"{ROOT}/sign-in"]
            cookies = list(browser.set_cookies)
            key = key_of(engine, new_user(engine, "dealer"))
            browser.post("/sign-in", {**fields, "key": key})
            cookies += browser.set_cookies
            given = [one for one in cookies if "max-age=0" not in one.lower()]
            assert {one.partition("=")[0] for one in given} == {SIGN_IN_COOKIE, SESSION_COOKIE}
            for cookie in given:
                terms = {term.strip().lower() for term in cookie.split(";")[1:]}
                assert terms >= {"httponly", "samesite=strict", "path=/"}
                assert not any(term.startswith(("domain", "expires", "max-age")) for term in terms)
                assert ("secure" in terms) is is_behind_tls


def test_a_browser_that_came_over_tls_comes_by_no_other_way(engine_database: str) -> None:
    with served_console(engine_database, is_behind_tls=True) as port:
        answer = Browser(port).get("/sign-in")
        assert answer.headers["strict-transport-security"] == "max-age=31536000"
    with served_console(engine_database) as port:
        assert "strict-transport-security" not in Browser(port).get("/sign-in").headers


def test_every_answer_may_be_framed_by_nobody_and_runs_nothing_of_its_own(
    port: int, engine: Session
) -> None:
    browser, _ = signed_in(port, engine, *STAFF)
    asked = [
        ("GET", path) for path in (*PLAIN, "/sign-in", "/none", "/static/refresh.js", "/orders/x")
    ]
    asked += [("POST", "/dealer/halt"), ("POST", "/sign-in"), ("HEAD", "/")]
    for method, path in asked:
        headers = browser.ask(method, ROOT + path, "" if method == "POST" else None).headers
        policy = dict(
            part.strip().split(" ", 1) for part in headers["content-security-policy"].split(";")
        )
        assert policy["frame-ancestors"] == "'none'", path
        assert policy["base-uri"] == "'none'", path
        assert policy["form-action"] == policy["default-src"] == "'self'", path
        assert not any("unsafe" in value for value in policy.values()), path
        assert headers["x-frame-options"] == "DENY", path
        assert headers["referrer-policy"] == "same-origin", path


class _Tags(HTMLParser):
    """Reads which tags a page has, as a browser would."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def plant(session: Session) -> list[str]:
    """Let every name that somebody else may choose be hostile; return the pages that show some."""
    cast = play(session)
    user_id = new_user(session, email=f"{HOSTILE.lower().replace(' ', '')}@x.example")
    account_id = open_account(session, user_id)
    session.execute("SET session_replication_role = replica")
    for table, column in (
        ("payment_transactions", "failure_reason"),
        ("payment_transactions", "destination"),
        ("alerts", "what"),
        ("audit_log", "actor"),
        ("audit_log", "reason"),
        ("order_events", "actor"),
        ("payment_claims", "reason"),
    ):
        session.execute(f"UPDATE {table} SET {column} = %s".encode(), (HOSTILE,))
    session.execute(
        "INSERT INTO alerts (severity, kind, about, what)"
        " VALUES ('critical', 'job_failing', 'x', %s)",
        (HOSTILE,),
    )
    session.execute("RESET session_replication_role")
    orders = list_orders(session, account_id=cast.account_id, count_max=5)
    assert {one.side for one in orders} == {Side.BUY, Side.SELL}
    return [
        *(f"/clients/{cast.user_id}", f"/accounts/{cast.account_id}", f"/accounts/{account_id}"),
        *(f"/orders/{cast.order_ids[0]}", f"/payments/{cast.deposit_id}"),
        *(f"/payments/{cast.withdrawal_id}", f"/audit/trail?id={cast.withdrawal_id}"),
        *("/orders?since=2020-01-01", "/alerts?state=all", "/audit?since=2020-01-01"),
    ]


def test_what_others_name_is_text_on_every_page(port: int, engine: Session) -> None:
    browser, _ = signed_in(port, engine, *STAFF)
    paths, shown = plant(engine), 0
    asked = "%3C/td%3E%3Cscript%3Ealert(1)%3C/script%3E"
    paths += [f"{path}?{name}={asked}" for path, name in REFLECTING]
    for path in (*PLAIN, *paths):
        answer = browser.get(path)
        assert answer.status in {200, 400, 404}, (path, answer.text)
        tags = _Tags()
        tags.feed(answer.html)
        shown += "&lt;script&gt;" in answer.html
        for tag, attributes in tags.found:
            assert tag != "script" or (attributes.get("src") or "").startswith(ROOT), path
            assert tag != "img", path
            assert not {"onerror", "style"} & set(attributes), path
        assert "49<!--" not in answer.html, path  # no template is read from data
    assert shown > 12


REFLECTING = (
    *(("/clients", "search"), ("/find", "text"), ("/orders", "symbol"), ("/orders", "user")),
    *(("/audit", "actor"), ("/audit", "table"), ("/audit/trail", "id"), ("/alerts", "kind")),
    *(("/dealer/halts", "target"), ("/dealer/hedges", "symbol"), ("/risk/stress", "name")),
    *(("/sign-in", "to"), ("/orders", "since"), ("/laws", "check"), ("/payments/all", "user")),
)


def test_a_character_of_no_text_in_an_address_is_no_defect(port: int, engine: Session) -> None:
    browser, _ = signed_in(port, engine, *STAFF)
    for path, name in REFLECTING:
        answer = browser.get(f"{path}?{name}=a%00b")
        assert (answer.status, answer.code) == (400, "CONSOLE_FORM_MALFORMED"), path
        assert browser.get(f"{path}?{name}=%ff%fe").status in {200, 400, 404}, path


def test_who_guesses_keys_is_held_up_and_a_known_key_is_not(port: int, engine: Session) -> None:
    key = key_of(engine, new_user(engine, "dealer"))
    known = Browser(port)
    assert known.send("/sign-in", "/sign-in", key=key).status == 200
    guessing = Browser(port)
    fields = guessing.get("/sign-in").read().forms[f"{ROOT}/sign-in"]
    statuses = [
        guessing.post("/sign-in", {**fields, "key": f"{key[:-4]}{number:04}"}).status
        for number in range(REFUSALS_AT_ONCE + 10)
    ]
    assert statuses[: REFUSALS_AT_ONCE - 1] == [403] * (REFUSALS_AT_ONCE - 1)
    assert 429 in statuses
    held = guessing.post("/sign-in", {**fields, "key": f"{key[:-4]}ffff"})
    assert (held.status, held.code) == (429, "HTTP_RATE_EXCEEDED")
    assert int(held.headers["retry-after"]) >= 1
    assert known.get("/").status == 200
    assert guessing.post("/sign-in", {**fields, "key": key}).status == 303


def test_guessed_sessions_are_held_up_before_the_database_is_asked(
    port: int, engine: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    real = access.identify_session

    def count(session: Session, token: str, **how: bool) -> access.Caller:
        asked.append(token)
        return real(session, token, **how)

    monkeypatch.setattr(access, "identify_session", count)
    browser = Browser(port)
    for number in range(REFUSALS_AT_ONCE + 20):
        browser.cookies = {SESSION_COOKIE: f"tws_{number:096}"}
        answer = browser.ask("GET", f"{ROOT}/clients")
    assert (answer.status, answer.code) == (429, "HTTP_RATE_EXCEEDED")
    assert len(asked) < REFUSALS_AT_ONCE + 15


def test_no_address_leads_away_from_the_console(port: int, engine: Session) -> None:
    browser, _ = signed_in(port, engine, *STAFF)
    stranger = Browser(port)
    for away in ("//evil.example/", "/%5cevil.example", "/https://evil.example", "/%2e%2e//evil"):
        for one in (browser, stranger):
            answer = one.ask("GET", ROOT + away)
            place = answer.headers.get("location", f"{ROOT}/")
            assert place.startswith((f"{ROOT}/", f"http://127.0.0.1:{port}{ROOT}/")), away
    found = browser.ask("GET", f"{ROOT}/find?text=https://evil.example/%0d%0ax:y")
    assert found.headers["location"].startswith(f"{ROOT}/clients?search=")
    assert "x" not in found.headers
