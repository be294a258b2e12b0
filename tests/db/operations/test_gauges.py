"""The house's gauges: each shows what is there, to who may only read, and nothing else."""

import os
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest
from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families

from tests.cast import play, value
from tests.fix_floor import until
from tests.floor import Floor, buy, deal, refusal
from tests.news import settled_user, start
from tests.style.house import ROOT
from tradewright.core.errors import ErrorCode
from tradewright.operations.gauges import GAUGES, read_gauges
from tradewright.payments import PaymentKind
from tradewright.postgres.connect import Session, connect
from tradewright.server.address import Address
from tradewright.server.metrics.engine import EngineCollector
from tradewright.server.metrics.exposing import exposed, shown
from tradewright.server.metrics.house import HouseCollector
from tradewright.server.metrics.http import HttpFigures

PAGE = ROOT / "docs" / "reference" / "metrics.md"
NOWHERE = "postgresql://nobody@127.0.0.1:1/house?connect_timeout=2"


def figures(session: Session, name: str) -> dict[tuple[str, ...], float]:
    """Return what one gauge shows, by its labels."""
    found = {one.gauge.name: one.rows for one in read_gauges(session)}
    return dict(found[f"tradewright_{name}"])


def samples(text: str) -> dict[str, Metric]:
    return {family.name: family for family in text_string_to_metric_families(text)}


def test_every_gauge_of_a_busy_house_is_read_by_the_reader_s_role(
    engine: Session, session_as: Callable[[str], Session]
) -> None:
    play(engine)
    readings = read_gauges(session_as("reader"))
    assert [one.gauge for one in readings] == list(GAUGES)
    for one in readings:
        assert all(len(labels) == len(one.gauge.labels) for labels, _ in one.rows), one.gauge
        assert len({labels for labels, _ in one.rows}) == len(one.rows), one.gauge
    empty = {one.gauge.query for one in readings if not one.rows}
    assert empty <= {"view_age_seconds", "backup_age_seconds", "clock_divergence_seconds"} | {
        *("halts_in_force", "webhooks_waiting", "hedges_open", "breakers_not_armed"),
        *("payments_unsubmitted", "payments_unsubmitted_oldest_seconds", "alerts_open"),
        *("provider_breaks_open", "payment_breaks_open", "unsolicited_fills_open"),
        *("claims_open", "owed_by_clients", "price_age_seconds"),
    }


def test_an_alert_is_counted_until_somebody_has_seen_it(engine: Session) -> None:
    before = figures(engine, "alerts_open")
    engine.execute(
        "INSERT INTO alerts (severity, kind, about, what)"
        " VALUES ('critical', 'backup_overdue', 'drill', 'none for long')"
    )
    key = ("backup_overdue", "critical")
    assert figures(engine, "alerts_open") == before | {key: 1}
    engine.execute("UPDATE alerts SET acknowledged_by = 'anna', acknowledged_at = now()")
    assert figures(engine, "alerts_open") == {}


def test_a_job_is_overdue_by_the_time_since_it_was_due_unless_it_is_switched_off(
    engine: Session,
) -> None:
    engine.execute("UPDATE jobs SET next_due_at = now() + interval '1 hour', failure_count = 0")
    assert set(figures(engine, "job_overdue_seconds").values()) == {0}
    engine.execute(
        "UPDATE jobs SET next_due_at = now() - interval '90 s', failure_count = 3"
        " WHERE name = 'seal_ledger'"
    )
    assert 90 <= figures(engine, "job_overdue_seconds")["seal_ledger",] < 120
    assert figures(engine, "job_failures")["seal_ledger",] == 3
    engine.execute("UPDATE jobs SET is_enabled = false WHERE name = 'seal_ledger'")
    assert ("seal_ledger",) not in figures(engine, "job_overdue_seconds")


def test_a_running_engine_is_alive_and_shows_what_it_has_dealt(floor: Floor) -> None:
    assert figures(floor.session, "engines_alive") == {(): 0}
    account = floor.account()
    with floor.engine() as running:
        assert figures(floor.session, "engines_alive") == {(): 1}
        floor.quote(running, "EURUSD", "1.10000", "1.10010")
        deal(running, buy(account, 30_000))
        collector = EngineCollector(
            lambda: running.figures(running.market.now), lambda: {"first": True, "second": False}
        )
        told = samples(shown(collector))
    until(lambda: figures(floor.session, "engines_alive") == {(): 0})
    assert figures(floor.session, "engines_lost") == {(): 0}
    assert figures(floor.session, "exposure")["EURUSD",] == -30_000
    booked = {s.labels["kind"]: s.value for s in told["tradewright_engine_booked"].samples}
    assert (booked["order"], booked["fill"], booked["trade"]) == (1, 1, 1)
    waits = {s.name: s.value for s in told["tradewright_engine_answer_seconds"].samples}
    assert waits["tradewright_engine_answer_seconds_count"] == 1
    assert 0 < waits["tradewright_engine_answer_seconds_sum"] < 60
    ready = {
        s.labels["provider"]: s.value for s in told["tradewright_engine_provider_ready"].samples
    }
    assert ready == {"first": 1, "second": 0}
    tradable = {s.labels["symbol"]: s.value for s in told["tradewright_engine_tradable"].samples}
    assert tradable["EURUSD"] == 1


def test_an_order_that_is_refused_is_counted_under_its_code(floor: Floor) -> None:
    account = floor.account()
    with floor.engine() as running:
        floor.quote(running, "EURUSD", "1.10000", "1.10010")
        deal(running, buy(account, 1_000_000))
        assert running.figures(running.market.now).refused == {"ORDER_MARGIN_INSUFFICIENT": 1}


def test_what_payments_wait_for_is_counted_with_its_age(engine: Session) -> None:
    user_id = settled_user(engine, "500")
    start(engine, user_id, "50", kind=PaymentKind.WITHDRAWAL)
    engine.execute("UPDATE outbox_events SET delivered_at = now()")
    assert figures(engine, "outbox_waiting") == {(): 0}
    assert figures(engine, "outbox_oldest_seconds") == {(): 0}
    start(engine, user_id, "20", kind=PaymentKind.WITHDRAWAL)
    undelivered = value(engine, "SELECT count(*) FROM outbox_events WHERE delivered_at IS NULL")
    assert undelivered
    assert figures(engine, "outbox_waiting") == {(): undelivered}
    assert 0 < figures(engine, "outbox_oldest_seconds")[()] < 60
    waiting = engine.execute(
        "SELECT provider, count(*) FROM payment_transactions"
        " WHERE submitted_at IS NULL AND status IN ('pending', 'processing')"
        " AND provider <> 'direct' GROUP BY provider"
    ).fetchall()
    assert figures(engine, "payments_unsubmitted") == {(name,): n for name, n in waiting}


def test_all_gauges_show_one_moment_however_much_is_written_meanwhile(
    engine: Session, open_session: Callable[[], Session], monkeypatch: pytest.MonkeyPatch
) -> None:
    other = open_session()
    real = engine.execute

    def meddled(query: Any, *rest: Any, **more: Any) -> Any:
        if "failure_count" in str(query):
            other.execute(
                "INSERT INTO trading_halts (mode, scope, set_by, reason)"
                " VALUES ('reduce_only', 'all', 'anna', 'meanwhile')"
            )
        return real(query, *rest, **more)

    real("SELECT 1")
    monkeypatch.setattr(engine, "execute", meddled)
    assert figures(engine, "halts_in_force") == {}
    monkeypatch.undo()
    assert figures(engine, "halts_in_force") == {("reduce_only", "all"): 1}


def test_a_database_that_is_away_is_the_one_thing_shown() -> None:
    told = samples(shown(HouseCollector(lambda: connect(NOWHERE))))
    assert set(told) == {"tradewright_up", "tradewright_read_seconds"}
    assert told["tradewright_up"].samples[0].value == 0


def test_however_often_it_is_scraped_the_database_is_read_once_a_moment(
    engine_database: str,
) -> None:
    opened = []

    def open_session() -> Session:
        opened.append(1)
        return connect(engine_database)

    house = HouseCollector(open_session)
    texts = {shown(house) for _ in range(5)}
    assert len(opened) == 1
    assert len(texts) == 1
    assert samples(texts.pop())["tradewright_up"].samples[0].value == 1


def test_an_address_that_is_taken_is_refused_in_words() -> None:
    with exposed(EngineCollector(), Address("127.0.0.1", 0)) as place:

        def again() -> None:
            with exposed(EngineCollector(), place):
                pass

        error = refusal(again)
    assert error.code is ErrorCode.SERVER_ADDRESS_UNUSABLE
    assert str(place.port) in error.what


@pytest.mark.parametrize("text", ["127.0.0.1:9464", "[::1]:9464", "localhost:0"])
def test_an_address_is_read_as_it_is_written(text: str) -> None:
    assert str(Address.read(text)) == text


@pytest.mark.parametrize(
    "text",
    ["9464", ":9464", "localhost", "localhost:", "h:-1", "h:65536", "::1:9464", "[h]:1", "h:٣"],
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=re.escape(text)):
        Address.read(text)


def test_the_command_answers_who_scrapes_until_it_is_told_to_end(engine_database: str) -> None:
    command = [sys.executable, "-m", "tradewright", "metrics", "--listen", "127.0.0.1:0"]
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=os.environ | {"DATABASE_URL": engine_database},
    ) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            place = re.fullmatch(r"figures at (http://127\.0\.0\.1:\d+/metrics)\n", line)
            assert place is not None, line
            with closing(urllib.request.urlopen(place[1], timeout=30)) as answer:  # noqa: S310
                told = samples(answer.read().decode())
            assert told["tradewright_up"].samples[0].value == 1
            process.send_signal(signal.SIGTERM)
            assert process.wait(30) == 0
        finally:
            process.kill()


def test_the_page_lists_every_figure_that_is_shown_and_no_other(floor: Floor) -> None:
    listed = re.findall(r"^\| `(tradewright_\w+)`", PAGE.read_text(), re.MULTILINE)
    with floor.engine() as running:
        floor.quote(running, "EURUSD", "1.10000", "1.10010")
        of_engine = EngineCollector(lambda: running.figures(running.market.now), dict)
        told = samples(shown(of_engine)) | samples(
            shown(HouseCollector(lambda: connect(floor.conninfo)))
        )
    told |= samples(shown(HttpFigures(lambda: 0).registry))
    assert sorted(listed) == sorted(told)
