"""What a desk looks for first: the gravest alert, the poorest account, the oldest payment."""

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal

import pytest

from tests.cast import list_market, open_account, open_position, open_wallet, play, value
from tests.console import ROOT, STAFF, Browser, served_console, signed_in
from tests.floor import Floor, buy, deal
from tests.web import new_user
from tradewright.console import standings
from tradewright.core.ids import new_id_text
from tradewright.operations.backup.record import record_drill, require_age, server_now
from tradewright.postgres.connect import Session
from tradewright.postgres.queries import load_queries
from tradewright.trading.stress import account_worths
from tradewright.trading.swap_store import set_swap_terms
from tradewright.trading.swaps import SwapForm, SwapTerms


@pytest.fixture
def port(engine_database: str) -> Iterator[int]:
    with served_console(engine_database) as served:
        yield served


def price(session: Session, bid: str = "1.10", age: str = "0 s") -> None:
    session.execute(
        "INSERT INTO last_prices (symbol, bid, ask, quoted_at)"
        " VALUES ('EURUSD', %s, %s, clock_timestamp() - %s::interval) ON CONFLICT (symbol) DO"
        " UPDATE SET bid = excluded.bid, ask = excluded.ask, quoted_at = excluded.quoted_at",
        (bid, Decimal(bid) + Decimal("0.0001"), age),
    )


def raise_alert(session: Session, severity: str, kind: str, about: str, what: str) -> None:
    session.execute("SELECT open_alert(%s, %s, %s, %s)", (severity, kind, about, what))


def is_before(text: str, first: str, second: str) -> bool:
    assert first in text
    assert second in text
    return text.index(first) < text.index(second)


def test_the_gravest_alert_stands_first_however_old(port: int, engine: Session) -> None:
    account = new_id_text()
    raise_alert(engine, "critical", "job_failing", "seals", "the seals fail")
    raise_alert(engine, "warning", "account_stopped_out", account, f"account {account} is out")
    raise_alert(engine, "info", "trading_halted", "h", "halted for lunch")
    browser, _ = signed_in(port, engine, "dealer")
    answer = browser.get("/")
    assert is_before(answer.text, "the seals fail", "is out")
    assert is_before(answer.text, "is out", "halted for lunch")
    assert "Open alerts 3 1 critical" in answer.text
    assert f'href="{ROOT}/find?text={account}"' in answer.html


def test_alerts_are_found_by_what_they_are_and_whether_they_wait(
    port: int, engine: Session
) -> None:
    raise_alert(engine, "critical", "job_failing", "seals", "the seals fail")
    raise_alert(engine, "info", "trading_halted", "h", "halted for lunch")
    browser, _ = signed_in(port, engine, "dealer")
    page = "/alerts?severity=critical&kind=job_failing"
    assert "halted for lunch" not in browser.get(page).text
    alert_id = str(value(engine, "SELECT id FROM alerts WHERE severity = 'critical'"))
    seen = browser.send(page, "/alerts/acknowledge", alert=alert_id)
    assert seen.place.startswith(f"{ROOT}/alerts?severity=critical&kind=job_failing&done=")
    assert "the seals fail" not in seen.text
    assert "the seals fail" in browser.get(f"{page}&state=all").text
    assert browser.get("/alerts?severity=odd").code == "CONSOLE_FORM_MALFORMED"
    fields = browser.get("/alerts").read().forms[f"{ROOT}/alerts/acknowledge"]
    sent = browser.post("/alerts/acknowledge", {**fields, "from": "//evil.example&kind=x"})
    assert sent.headers["location"] == f"{ROOT}/alerts?kind=x&done=acknowledged"


def test_the_overview_does_not_say_that_trading_runs_where_no_engine_does(
    port: int, floor: Floor, engine: Session
) -> None:
    browser, _ = signed_in(port, engine, "dealer")
    assert "Trading no engine" in browser.get("/").text
    with floor.engine():
        assert "Trading running" in browser.get("/").text


def test_breaks_of_timing_are_counted_by_themselves(port: int, engine: Session) -> None:
    for bucket in ("timing", "timing", "duplicate"):
        engine.execute(
            "INSERT INTO reconciliation_breaks (provider, kind, reference, bucket, details)"
            " VALUES ('cards', 'deposit', %s, %s, '{}')",
            (new_id_text(), bucket),
        )
    browser, _ = signed_in(port, engine, "payments_officer")
    assert "Reconciliation breaks 1 and 2 of timing" in browser.get("/").text


def test_accounts_are_valued_once_for_all_who_look(
    port: int, engine: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    play(engine)
    price(engine)
    open_position(engine, open_account(engine, new_user(engine)))
    valued: list[int] = []

    def count(session: Session, ids: list[str]) -> object:
        valued.append(len(ids))
        return account_worths(session, ids)

    monkeypatch.setattr(standings, "account_worths", count)
    monkeypatch.setattr(standings, "SECONDS_KEPT", 60)
    first, _ = signed_in(port, engine, "risk_officer")
    second, _ = signed_in(port, engine, "dealer")
    assert "for all who look" in first.get("/risk").text
    assert first.get("/risk").status == second.get("/risk").status == 200
    assert len(valued) == 1


def test_old_prices_are_told_where_they_value_anything(port: int, engine: Session) -> None:
    play(engine)
    price(engine, age="3 hours")
    account_id = open_account(engine, new_user(engine))
    open_position(engine, account_id)
    browser, _ = signed_in(port, engine, "risk_officer")
    assert "Oldest price 3 h 0 min" in browser.get("/risk").text
    assert "3 h 0 min old" in browser.get("/dealer").text
    assert "3 h 0 min ago" in browser.get(f"/accounts/{account_id}").text


def test_an_account_shows_its_worth_positions_and_margin_history(
    port: int, engine: Session
) -> None:
    cast = play(engine)
    price(engine, "1.2")
    position_id = open_position(engine, cast.account_id)
    browser, _ = signed_in(port, engine, "dealer")
    text = browser.get(f"/accounts/{cast.account_id}").text
    average = value(engine, "SELECT average_price FROM positions WHERE id = %s", position_id)
    assert isinstance(average, Decimal)
    assert f"{(Decimal('1.2') - average) * 1000:,.2f}" in text
    for told in ("Margin level", "Open positions 1", "margin call 90.00", "Last trades", "Ledger"):
        assert told in text
    assert "No order waits" in text
    assert browser.get(f"/accounts/{new_id_text()}").code == "ACCOUNT_UNKNOWN"


def test_an_id_is_found_from_every_page_whatever_it_is_of(port: int, engine: Session) -> None:
    cast = play(engine)
    browser, _ = signed_in(port, engine, *STAFF)
    email = value(engine, "SELECT email FROM users WHERE id = %s", cast.user_id)
    places = {
        cast.account_id: f"/accounts/{cast.account_id}",
        cast.position_id: f"/accounts/{cast.account_id}",
        cast.order_ids[0].upper(): f"/orders/{cast.order_ids[0]}",
        cast.deposit_id: f"/payments/{cast.deposit_id}",
        cast.user_id: f"/clients/{cast.user_id}",
        cast.hold_id: f"/audit/trail?id={cast.hold_id}",
        "a%26b": "/clients?search=a%26b",
        "": "/clients?search=",
    }
    for asked, place in places.items():
        assert browser.get(f"/find?text={asked}").place == ROOT + place
    assert str(email) in browser.get(f"/find?text={str(email)[:12]}").text
    assert f'action="{ROOT}/find"' in browser.get("/risk").html
    dealer, _ = signed_in(port, engine, "dealer")
    assert dealer.get(f"/find?text={cast.hold_id}").place.startswith(f"{ROOT}/clients?search=")


WAITING = (
    "INSERT INTO payment_transactions (id, user_id, kind, currency, amount, provider, reference,"
    " status, created_at, arrived_at) VALUES (%s, %s, 'deposit', 'USD', %s, 'cards', %s,"
    " 'requires_approval', clock_timestamp() - %s, clock_timestamp())"
)
"""A client gives a payment its id, so ids say nothing of when it was asked for."""


def let_wait(session: Session) -> None:
    """Let two payments wait: the older one has the greater id."""
    user_id = new_user(session)
    session.execute("SET session_replication_role = replica")
    for first, amount, age in (("f", 111, timedelta(days=2)), ("0", 222, timedelta(hours=1))):
        session.execute(WAITING, (first + new_id_text()[1:], user_id, amount, new_id_text(), age))
    session.execute("RESET session_replication_role")


def test_payments_stand_in_the_order_of_time_whatever_their_ids(port: int, engine: Session) -> None:
    let_wait(engine)
    browser, _ = signed_in(port, engine, "payments_officer")
    assert is_before(browser.get("/payments").text, "111.00", "222.00")
    assert is_before(browser.get("/payments/all").text, "222.00", "111.00")


def test_payments_that_wait_and_the_newest_are_found_by_an_index(engine: Session) -> None:
    queries = load_queries("tradewright.console")
    asked = {"status": None, "kind": None, "user_id": None, "count_max": 51, "passed": 0}
    for name, index in (
        ("payments_waiting", "idx_payment_transactions_created_at_waiting"),
        ("payments", "idx_payment_transactions_created_at_id"),
        ("waiting", "idx_payment_transactions_created_at_waiting"),
    ):
        with engine.transaction(force_rollback=True):
            for other in ("seqscan", "bitmapscan", "sort"):  # few rows are read by any way
                engine.execute(f"SET LOCAL enable_{other} = off".encode())
            plan = engine.execute(f"EXPLAIN {queries[name]}".encode(), asked).fetchall()
        told = "\n".join(row[0] for row in plan)
        assert index in told, told
        assert "Seq Scan on payment_transactions" not in told
        assert "Sort Key: p." not in told, told


def test_an_order_is_told_in_words(port: int, floor: Floor, engine: Session) -> None:
    account = floor.account()
    with floor.engine() as running:
        floor.quote(running, "EURUSD", "1.10000", "1.10010")
        dealt = deal(running, buy(account, 100_000))
        refused = deal(running, buy(account, 900_000_000))
    browser, _ = signed_in(port, engine, "dealer")
    text = browser.get(f"/orders/{dealt.order_id}").text
    assert is_before(text, "Accepted: it works from here on.", "100,000 dealt at 1.10010")
    assert "the house dealt it for its own account" in text
    assert "Refused: " in browser.get(f"/orders/{refused.order_id}").text


def test_swap_terms_say_which_are_in_force(port: int, engine: Session) -> None:
    list_market(engine)
    today = date.fromisoformat(str(value(engine, "SELECT (now() AT TIME ZONE 'UTC')::date")))
    for days in (-20, -10, 10):
        terms = SwapTerms(
            symbol="EURUSD",
            effective_on=today + timedelta(days=days),
            form=SwapForm.POINTS,
            long_rate=Decimal(days),
            short_rate=Decimal("1.5"),
            currency="USD",
            settlement_days=2,
        )
        set_swap_terms(engine, terms)
    browser, _ = signed_in(port, engine, "dealer")
    text = browser.get("/settings/swaps").text
    assert is_before(text, "to come points 10 1.5", "in force points \u221210 1.5")
    assert is_before(text, "in force points \u221210", "past points")
    assert "not recorded" in text


def test_backups_are_held_against_what_is_declared(port: int, engine: Session) -> None:
    browser, _ = signed_in(port, engine, "administrator")
    assert "Nothing is declared" in browser.get("/backups").text
    require_age(engine, "drill", timedelta(days=30))
    require_age(engine, "backup", timedelta(days=1))
    now = server_now(engine)
    record_drill(
        engine, "b-1", started_at=now, bytes_restored=1234567, covers_until=now, restore_ms=61_000
    )
    text = browser.get("/backups").text
    assert "drill good 30 d 0 h" in text
    assert "backup pending 1 d 0 h none yet" in text
    assert "1,234,567" in text
    assert "1 min 1 s" in text


def test_figures_are_for_those_who_may_see_dealing(port: int, engine: Session) -> None:
    list_market(engine)
    dealer, _ = signed_in(port, engine, "dealer")
    text = dealer.get("/engines").text
    assert "No engine has run here" in text
    assert "The house's net position" in text
    jobs = value(engine, "SELECT count(*) FROM jobs WHERE is_enabled")
    assert f"job failures all {jobs} 0" in text
    officer, _ = signed_in(port, engine, "payments_officer")
    assert "The house's net position" not in officer.get("/engines").text


def test_the_menu_marks_the_part_that_a_page_is_of(port: int, engine: Session) -> None:
    browser, _ = signed_in(port, engine, *STAFF)

    def marked(page: str) -> str:
        tags = Browser.get(browser, page).html.partition('class="menu"')[2]
        return tags.partition('aria-current="page">')[2].partition("<")[0]

    pages = {"/": "Overview", "/jobs": "Overview", "/orders": "Dealer", "/risk/limits": "Risk"}
    for page, part in pages.items():
        assert marked(page) == part


def test_a_wallet_that_waits_is_no_account(port: int, engine: Session) -> None:
    user_id = new_user(engine)
    open_wallet(engine, user_id, "5")
    browser, _ = signed_in(port, engine, "dealer")
    assert "No trading account" in browser.get(f"/clients/{user_id}").text
