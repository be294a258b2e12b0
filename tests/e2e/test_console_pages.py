"""The console's pages: each shows what is there, escapes what is hostile, and says what to do."""

from collections.abc import Iterator
from decimal import Decimal
from html import escape
from pathlib import Path

import pytest

from tests.cast import list_market, open_account, open_position, open_wallet, play
from tests.console import PLAIN, ROOT, STAFF, Browser, served_console, signed_in
from tests.floor import Floor, buy, deal
from tests.old_months import old_month
from tests.web import new_user
from tradewright import audit, payments
from tradewright.console.words import amount, gist, money, rounded, share, short, span, values
from tradewright.core.clock import monotonic_seconds, pause
from tradewright.core.ids import new_id_text
from tradewright.operations import archive
from tradewright.payments import Origin, PaymentKind, PaymentRequest, Provider
from tradewright.postgres.connect import Session, connect
from tradewright.risk.breaker_store import BreakerSettings, add_breaker
from tradewright.risk.breakers import BreakerKind
from tradewright.risk.limits import Limit, LimitKind, Target
from tradewright.risk.store import set_limit
from tradewright.routing.model import Book

HOSTILE = "<script>alert('x')</script>\"'><img src=x onerror=alert(1)>"


@pytest.fixture
def port(engine_database: str) -> Iterator[int]:
    with served_console(engine_database) as served:
        yield served


def is_quiet(browser: Browser, path: str) -> None:
    """Assert that a page is whole, loads nothing from elsewhere, and runs and styles nothing."""
    answer = browser.get(path)
    assert answer.status == 200, (path, answer.text)
    for tag, attributes in answer.read().tags:
        assert tag not in {"style", "iframe", "object", "embed", "base"}, path
        assert tag != "script" or attributes.get("src", "").startswith(f"{ROOT}/static/"), path
        assert not any(name == "style" or name.startswith("on") for name in attributes), path
        for name in ("src", "href", "action"):
            place = attributes.get(name, "/")
            assert place.startswith(("/", "?", "#")), (path, place)
            assert not place.startswith("//"), (path, place)


def is_named(browser: Browser, path: str) -> None:
    """Assert that a page's tables have captions and its fields have names for who cannot see."""
    html = browser.get(path).html
    assert html.count("<table") == html.count("<caption>"), path
    tags = browser.get(path).read().tags
    labelled = {attributes.get("for") for tag, attributes in tags if tag == "label"}
    for field in ("<input", "<select"):
        for part in html.split(field)[1:]:
            start = part.split(">", maxsplit=1)[0]
            before = html[: html.index(part)]
            is_in_label = before.rfind("<label") > before.rfind("</label>")
            is_told = "aria-label=" in start or 'type="hidden"' in start or is_in_label
            name = start.partition('id="')[2].partition('"')[0]
            assert is_told or name in labelled, (path, start)


@pytest.mark.parametrize("is_empty", [True, False])
def test_each_page_is_whole_named_and_quiet(port: int, engine: Session, is_empty: bool) -> None:
    cast = None if is_empty else play(engine)
    browser, user_id = signed_in(port, engine, *STAFF)
    paths = [*PLAIN, f"/clients/{user_id}", "/migrations/review?run=1", "/audit/seals?verify=1"]
    if cast is not None:
        paths += [f"/orders/{cast.order_ids[0]}", f"/payments/{cast.withdrawal_id}"]
        paths += [f"/clients/{cast.user_id}", f"/audit/trail?id={cast.position_id}"]
        paths += ["/risk/stress?case=snb-2015", "/risk/stress?name=EUR&percent=-5"]
    for path in paths:
        is_quiet(browser, path)
        is_named(browser, path)


def test_hostile_text_is_shown_and_never_run(port: int, engine: Session) -> None:
    user_id = new_user(engine, email=f"{HOSTILE.lower().replace(' ', '')}@x.example")
    open_wallet(engine, user_id, "500")
    request = PaymentRequest(
        payment_id=new_id_text(),
        user_id=user_id,
        kind=PaymentKind.WITHDRAWAL,
        currency="USD",
        amount=Decimal(400),
        provider=Provider.CARDS,
        destination=HOSTILE,
        origin=Origin(HOSTILE, "203.0.113.9"),
    )
    with engine.transaction():
        payment = payments.start_payment(engine, request)
    browser, _ = signed_in(port, engine, *STAFF)
    browser.send(
        *("/dealer/halts", "/dealer/halt"),
        scope="all",
        target="",
        mode="reduce_only",
        reason=HOSTILE,
    )
    paths = ["/", "/clients", f"/clients/{user_id}", f"/payments/{payment.id}", "/payments/all"]
    paths += ["/payments", "/dealer/halts", "/audit", f"/audit/trail?id={payment.id}"]
    asked = "%3Cscript%3Ealert(1)%3C/script%3E%22%3E"
    paths += [f"/clients?search={asked}", f"/orders?symbol={asked}", f"/audit?actor={asked}"]
    for path in paths:
        is_quiet(browser, path)
    assert escape("<script>alert('x')", quote=False)[:20] in browser.get("/clients").html
    assert "&lt;script&gt;" in browser.get("/dealer/halts").html
    refused = browser.get(f"/{asked}")
    assert refused.status == 404
    assert "<script>alert" not in refused.html


def test_the_overview_tells_which_engines_live(port: int, floor: Floor, engine: Session) -> None:
    browser, _ = signed_in(port, engine, "dealer")
    assert "No engine has run here" in browser.get("/").text
    with floor.engine():
        assert "Engines alive 1" in browser.get("/").text
    ends = monotonic_seconds() + 5  # the server notices within that an engine has gone
    while "Engines alive 0 1 gone" not in browser.get("/").text:
        assert monotonic_seconds() < ends
        pause(0.05)


def test_an_order_shows_its_whole_story(port: int, floor: Floor, engine: Session) -> None:
    account = floor.account(book=Book.A)
    with floor.engine() as running:
        floor.quote(running, "EURUSD", "1.10000", "1.10010")
        dealt = deal(running, buy(account, 100_000))
    browser, _ = signed_in(port, engine, "dealer", "administrator")
    text = browser.get(f"/orders/{dealt.order_id}").text
    assert "buy 100,000 EURUSD filled" in text
    for told in (
        "Levels of providers as they were ranked",
        "price bps",
        "1.1001",
        "provider requests",
        "trades",
    ):
        assert told in text
    quoted = floor.one("SELECT quoted_at FROM order_fills")
    assert f"{quoted:%H:%M:%S}.{quoted.microsecond // 1000:03}" in text.partition("Fills")[2]
    assert "by the market" in text
    (execution,) = floor.rows("SELECT provider_execution_id FROM order_fills")[0]
    assert execution in text


def test_orders_are_filtered_by_symbol_state_side_account_and_day(
    port: int, engine: Session
) -> None:
    cast = play(engine)
    browser, _ = signed_in(port, engine, "dealer")

    def shown(query: str) -> int:
        html = browser.get(f"/orders?{query}").html
        return html.count(f'<td data-label="Order"><a class="id" href="{ROOT}/orders/')

    everything = shown("")
    assert everything > 3
    assert shown("symbol=EURUSD") == everything
    assert shown("symbol=GBPUSD") == 0
    assert shown("status=rejected") == 0
    assert shown("side=buy") + shown("side=sell") == everything
    assert shown(f"account={cast.account_id}") == 2
    assert shown("since=2020-01-01&until=2020-01-02") == 0
    assert "No order was given" in browser.get("/orders?symbol=GBPUSD").text
    for wrong in (
        "status=nope",
        "account=x",
        "since=yesterday",
        "since=2026-02-02&until=2026-02-01",
    ):
        assert browser.get(f"/orders?{wrong}").code == "CONSOLE_FORM_MALFORMED"
    assert browser.get("/orders?user=nobody@example.org").code == "USER_UNKNOWN"


def test_the_account_nearest_to_its_stop_out_stands_first(port: int, engine: Session) -> None:
    play(engine)
    engine.execute(
        "INSERT INTO last_prices (symbol, bid, ask, quoted_at)"
        " VALUES ('EURUSD', 1.10, 1.1001, clock_timestamp()) ON CONFLICT (symbol) DO UPDATE"
        " SET bid = excluded.bid, ask = excluded.ask, quoted_at = excluded.quoted_at"
    )
    poor = open_account(engine, new_user(engine, email="poor@example.org"))
    open_position(engine, poor)
    browser, _ = signed_in(port, engine, "risk_officer")
    answer = browser.get("/risk")
    emails = [part for part in answer.text.split() if "@example.org" in part]
    assert emails[1] == "poor@example.org"  # behind who is signed in
    assert "stop-out" in answer.text


def test_the_dealer_sees_the_hedge_under_way(port: int, engine: Session) -> None:
    list_market(engine)
    engine.execute("INSERT INTO engines (id, providers) VALUES (uuidv7(), '{}')")
    engine.execute(
        "INSERT INTO hedges (id, symbol, side, quantity, filled_quantity, exposure, exposure_limit,"
        " target, engine_id, decided_at) SELECT uuidv7(), 'EURUSD', 'sell', 700, 200, 1200, 1000,"
        " 500, id, now() FROM engines"
    )
    browser, _ = signed_in(port, engine, "dealer")
    assert "sell 700 EUR, 200 EUR filled" in browser.get("/dealer").text


def test_figures_of_limits_say_of_what_they_are(port: int, floor: Floor, engine: Session) -> None:
    account = floor.account()
    for kind, most, currency in (
        (LimitKind.ORDER_VALUE, 5000, "USD"),
        (LimitKind.LEVERAGE, 2, None),
    ):
        limit = Limit(
            id=new_id_text(), kind=kind, target=Target(), value=Decimal(most), currency=currency
        )
        set_limit(engine, limit, actor="tests")
    with floor.engine() as running:
        floor.quote(running, "EURUSD", "1.10000", "1.10010")
        deal(running, buy(account, 1_000_000))
    browser, _ = signed_in(port, engine, "risk_officer")
    text = browser.get("/risk/limits").text
    assert "5,000.00 USD" in text.partition("Breaches")[2]
    assert "2 times equity" in text


def test_long_tables_come_in_parts(port: int, engine: Session) -> None:
    for number in range(55):
        new_user(engine, email=f"many-{number:02}@example.org")
    browser, _ = signed_in(port, engine, "dealer")
    first = browser.get("/clients?search=many-")
    assert first.html.count("@example.org</a>") == 50
    assert "?search=many-&amp;page=2#page" in first.html
    second = browser.get("/clients?search=many-&page=2")
    assert second.html.count("@example.org</a>") == 5
    assert "?search=many-&amp;page=1#page" in second.html
    for odd in ("0", "-1", "x", "9999", "%C2%B2"):
        assert browser.get(f"/clients?page={odd}").status == 200


def test_a_client_is_found_by_any_id_and_a_part_of_the_address(port: int, engine: Session) -> None:
    cast = play(engine)
    browser, _ = signed_in(port, engine, "dealer")
    for known in (cast.user_id, cast.account_id, cast.order_ids[0], cast.deposit_id):
        assert (
            f'href="{ROOT}/clients/{cast.user_id}"' in browser.get(f"/clients?search={known}").html
        )
    part = cast.user_id[4:30].upper()
    assert f'href="{ROOT}/clients/{cast.user_id}"' in browser.get(f"/clients?search={part}").html
    nobody = browser.get(f"/clients?search={new_id_text()}").text
    assert "Nobody is found by" in nobody


def test_a_client_has_payments_and_trail_for_those_alone_who_may_see_them(
    port: int, engine: Session
) -> None:
    cast = play(engine)
    page = f"/clients/{cast.user_id}"
    administrator, _ = signed_in(port, engine, "administrator")
    text = administrator.get(page).text
    assert "The newest payments" in text
    assert "1,000.00 USD" in text
    assert "What was recorded of the user last" in text
    dealer, _ = signed_in(port, engine, "dealer")
    text = dealer.get(page).text
    assert "Trading accounts" in text
    assert "The newest payments" not in text
    assert "What was recorded" not in text


def test_the_laws_are_checked_when_it_is_asked_for(port: int, engine: Session) -> None:
    play(engine)
    browser, user_id = signed_in(port, engine, "dealer")
    assert "They were never checked" in browser.get("/").text
    assert "laws hold" in browser.send("/", "/laws/check").text
    assert "laws hold" in browser.get("/").text
    engine.execute("ALTER TABLE user_balances DISABLE TRIGGER USER")
    engine.execute("UPDATE user_balances SET available = available + 1")
    broken = browser.send("/", "/laws/check").text
    assert "laws are broken" in broken
    assert "balance is last entry broken" in broken
    checks = broken.partition("Every check of the laws that was kept")[2]
    assert checks.count(f"user:{user_id}") == 2
    assert checks.count("balance is last entry") == 1
    (first,) = engine.execute(
        "SELECT id::text FROM law_checks WHERE broken_count = 0 AND actor = %s",
        (f"user:{user_id}",),
    ).fetchall()
    assert "laws hold" in browser.get(f"/laws?check={first[0]}").text


def test_drift_is_found_when_it_is_asked_for(port: int, engine: Session) -> None:
    browser, _ = signed_in(port, engine, "administrator")
    assert "and nothing else" in browser.send("/migrations/drift", "/migrations/drift").text
    engine.execute("CREATE TABLE strangers (id uuid)")
    assert "strangers" in browser.send("/migrations/drift", "/migrations/drift").text


def test_amounts_are_exact_and_times_and_ids_short() -> None:
    assert money(Decimal("1234567.5"), "USD") == "1,234,567.50\u00a0USD"
    assert money(Decimal("0.00000001"), "BTC") == "0.00000001\u00a0BTC"
    assert money(Decimal("0.123456"), "USD") == "0.123456\u00a0USD"
    assert money(Decimal(-5), "JPY") == "\u22125\u00a0JPY"
    assert amount(Decimal("1E+3")) == "1,000"
    assert rounded(Decimal("2.005"), "USD") == "2.00\u00a0USD"
    assert share(Decimal("99.999")) == "100.00\u00a0%"
    assert (money(None, "USD"), amount(None), share(None)) == ("\u2013",) * 3
    assert (span(59), span(61), span(7260), span(180_000)) == (
        "59 s",
        "1 min 1 s",
        "2 h 1 min",
        "2 d 2 h",
    )
    assert gist({"status": ["pending", "failed"], "revision": [1, 2]}) == "status: pending → failed"
    assert gist({"amount": "1500.25000000", "id": "x"}) == "amount 1,500.25"
    assert gist({"id": "x", "seq": 1}) == "2 values"
    assert short("0199c1d2-7f0a-7e3b-9a51-0123456789ab") == "0199c1d2…6789ab"
    assert (short("standard"), short("x" * 99)) == ("standard", "x" * 60 + "…")
    assert values({"amount": Decimal("1E+2"), "word": "ü"}) == '{"amount": "100", "word": "ü"}'


def test_changes_are_shown_to_the_last_decimal(port: int, engine: Session) -> None:
    list_market(engine)  # its tick is 0.00001
    engine.execute("UPDATE instruments SET contract_size = 123456789012.12345678")
    browser, _ = signed_in(port, engine, "compliance_officer")
    text = browser.get("/audit").text
    assert "123456789012.12345678" in text
    assert '"price_tick": "0.00001000"' in text
    assert "e-05" not in text


def test_the_page_of_changes_tells_which_months_are_archived(
    port: int, engine: Session, engine_database: str, tmp_path: Path
) -> None:
    month, (user_id, *_) = old_month(engine)
    archive.run(lambda: connect(engine_database, autocommit=True), tmp_path)
    browser, _ = signed_in(port, engine, "compliance_officer")
    days = f"since={month:%Y-%m}-03&until={month:%Y-%m}-04"
    told = f"Changes of {month:%Y-%m} are archived and not shown"
    assert told in browser.get(f"/audit?{days}").text
    assert "are archived" not in browser.get("/audit").text
    assert "change_count" in browser.get(f"/audit/trail?id={user_id}").text
    assert f"{month:%Y-%m} detached" in browser.get("/audit/months").text


def test_settings_say_since_when_and_by_whom(port: int, engine: Session) -> None:
    list_market(engine)
    with engine.transaction():
        audit.acting_as(engine, "user:anna", reason="the month has changed")
        engine.execute("UPDATE instruments SET quantity_max = 5000000")
    limit = Limit(
        id=new_id_text(), kind=LimitKind.LEVERAGE, target=Target(), value=Decimal(7), currency=None
    )
    set_limit(engine, limit, actor="user:bert")
    breaker = BreakerSettings(code="all-stop", kind=BreakerKind.MANUAL)
    add_breaker(engine, breaker, actor="user:cora", reason="a rule")
    browser, _ = signed_in(port, engine, "dealer")
    assert "5,000,000" in (text := browser.get("/settings").text)
    assert "user:anna the month has changed" in text
    assert "user:bert" in browser.get("/settings/limits").text
    assert "user:cora a rule" in browser.get("/settings/breakers").text


def test_what_is_not_agreed_with_providers_has_a_page(port: int, engine: Session) -> None:
    list_market(engine)
    engine.execute(
        "INSERT INTO provider_corrections (provider_id, kind, execution_id, refers_to)"
        " SELECT id, 'bust', 'H-1', 'E-1' FROM liquidity_providers"
    )
    engine.execute(
        "INSERT INTO provider_trade_breaks (provider_id, execution_id, bucket, details)"
        " SELECT id, 'E-7', 'ours_only', '{\"our_price\": \"1.1\"}' FROM liquidity_providers"
    )
    browser, _ = signed_in(port, engine, "dealer")
    text = browser.get("/dealer/reconciliation").text
    for told in ("LP-ONE ours only E-7", "bust E-1", "No list was taken in yet"):
        assert told in text
