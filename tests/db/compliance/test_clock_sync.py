"""Clock synchronisation: what a sample says, what follows for the times between, who is told."""

import ctypes
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.cast import value
from tests.compliance import make, now
from tradewright import operations
from tradewright.compliance import Scope
from tradewright.compliance.clock_periods import MISSING, VERDICTS, Period, Sample, periods
from tradewright.core.kernel_clock import KernelClock, NoKernelClock, clock_of, read_kernel_clock
from tradewright.operations import Means, Outcome
from tradewright.operations.jobs import JOBS, sample_clock
from tradewright.operations.jobs.sample_clock import compared
from tradewright.postgres.connect import Session, connect

NOON = datetime(2026, 1, 13, 12, tzinfo=UTC)
FIVE = timedelta(minutes=5)
TEN = timedelta(minutes=10)


def sample(session: Session, at: datetime | None = None, **changes: Any) -> str:
    """Write a sample, sound unless changed; return its verdict."""
    row = {
        "host": "db-1",
        "is_synchronised": True,
        "offset_us": 20,
        "error_us_max": 300,
        "error_us_estimated": 50,
        "unknown_reason": None,
        "server_difference_us": -15,
        "server_uncertainty_us": 40,
        "sampled_at": at or now(session),
    } | changes
    names = ", ".join(row)
    marks = ", ".join(f"%({name})s" for name in row)
    text = f"INSERT INTO clock_samples ({names}) VALUES ({marks}) RETURNING verdict"
    (verdict,) = session.execute(text.encode(), row).fetchone() or ("",)
    return str(verdict)


UNKNOWN = {
    **dict.fromkeys(("is_synchronised", "offset_us", "error_us_max", "error_us_estimated")),
    "unknown_reason": "adjtimex was refused: Operation not permitted",
}


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({}, "within"),
        ({"error_us_max": 925}, "within"),
        ({"error_us_max": "925.001"}, "unproven"),
        ({"error_us_max": 40_000}, "unproven"),
        ({"offset_us": -1000, "error_us_max": 0}, "unproven"),
        ({"offset_us": "-1000.001"}, "beyond"),
        ({"error_us_estimated": "1000.001"}, "beyond"),
        ({"server_difference_us": "-1040"}, "unproven"),
        ({"server_difference_us": "-1040.001"}, "beyond"),
        ({"is_synchronised": False}, "unsynchronised"),
        (UNKNOWN, "unknown"),
    ],
)
def test_a_millisecond_is_the_bound_of_what_is_known_together(
    engine: Session, changes: dict[str, Any], verdict: str
) -> None:
    assert sample(engine, **changes) == verdict
    assert verdict in VERDICTS


def test_a_sample_tells_all_that_the_kernel_said_or_why_it_said_nothing(engine: Session) -> None:
    for changes in ({"offset_us": None}, {"is_synchronised": None}, {"unknown_reason": "why"}):
        with pytest.raises(psycopg.errors.CheckViolation) as caught:
            sample(engine, **changes)
        name = caught.value.diag.constraint_name
        assert name == "clock_samples_kernel_told_all_or_why_not"


def test_people_are_told_once_of_a_clock_that_diverges_until_it_does_no_more(
    engine: Session,
) -> None:
    open_alerts = (
        "SELECT string_agg(about, ' ') FROM alerts"
        " WHERE kind = 'clock_diverged' AND resolved_at IS NULL"
    )
    for changes, about in (
        ({}, None),
        ({"offset_us": 2000}, "db-1"),
        ({"is_synchronised": False}, "db-1"),
        (UNKNOWN, "db-1"),
        ({"error_us_max": 40_000}, None),
        ({"is_synchronised": False}, "db-1"),
        ({}, None),
    ):
        sample(engine, **changes)
        assert value(engine, open_alerts) == about, changes
    assert value(engine, "SELECT count(*) FROM alerts") == 2


def test_the_job_writes_what_the_kernel_and_the_server_say(
    engine: Session, engine_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[KernelClock | NoKernelClock] = [
        KernelClock(
            is_synchronised=True,
            offset_us=Decimal("-12.345"),
            error_us_max=Decimal(200),
            error_us_estimated=Decimal(30),
        ),
        NoKernelClock("adjtimex was refused: Operation not permitted"),
    ]
    means = Means(source=lambda: connect(engine_database, autocommit=True))
    for one in told:
        monkeypatch.setattr(sample_clock, "read_kernel_clock", lambda one=one: one)
        engine.execute("UPDATE jobs SET next_due_at = now() WHERE name = 'sample_clock'")
        (report,) = operations.run_due(means, [JOBS["sample_clock"]])
        assert report.outcome is Outcome.SUCCEEDED
    rows = engine.execute(
        "SELECT is_synchronised, offset_us, unknown_reason, verdict <> 'unknown',"
        " abs(server_difference_us) <= server_uncertainty_us + 100000"
        " FROM clock_samples ORDER BY id"
    ).fetchall()
    assert rows == [
        (True, Decimal("-12.345"), None, True, True),
        (None, None, "adjtimex was refused: Operation not permitted", False, True),
    ]


def test_the_kernel_is_asked_and_says_something_or_why_not() -> None:
    told = read_kernel_clock()
    if isinstance(told, NoKernelClock):
        assert told.reason
    else:
        assert told.error_us_max >= 0


def test_a_kernel_that_cannot_be_asked_is_unknown_and_never_invented(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(_: object) -> int:
        ctypes.set_errno(1)
        return -1

    class Library:
        adjtimex = staticmethod(refuse)

    monkeypatch.setattr(ctypes, "CDLL", lambda *_, **__: Library)
    told = read_kernel_clock()
    assert told == NoKernelClock("adjtimex was refused: Operation not permitted")
    monkeypatch.setattr(ctypes, "CDLL", lambda *_, **__: object())
    assert isinstance(read_kernel_clock(), NoKernelClock)


@pytest.mark.parametrize(
    ("state", "status", "is_synchronised", "offset"),
    [
        (0, 0x0001, True, "1500"),
        (0, 0x2001, True, "1.5"),
        (5, 0x0001, False, "1500"),
        (0, 0x0041, False, "1500"),
    ],
)
def test_what_the_kernel_answers_is_read_by_its_bits(
    state: int, status: int, *, is_synchronised: bool, offset: str
) -> None:
    assert clock_of(state, status, (1500, 40, 7)) == KernelClock(
        is_synchronised=is_synchronised,
        offset_us=Decimal(offset),
        error_us_max=Decimal(40),
        error_us_estimated=Decimal(7),
    )


microseconds = st.integers(0, 10**7)


@given(ahead=st.integers(-(10**9), 10**9), there=microseconds, back=microseconds)
def test_the_true_difference_lies_within_what_is_said_of_it(
    ahead: int, there: int, back: int
) -> None:
    def after(us: int) -> datetime:
        return NOON + timedelta(microseconds=us)

    uncertainty, difference = compared(NOON, after(there + ahead), after(there + back))
    assert abs(difference - ahead) <= uncertainty
    assert uncertainty == Decimal(there + back) / 2 + 1


def at(minutes: int) -> datetime:
    return NOON + timedelta(minutes=minutes)


def samples(*told: tuple[int, str]) -> list[Sample]:
    return [Sample(at(minutes), verdict, Decimal(minutes)) for minutes, verdict in told]


def divided(found: list[Sample], begin: int, end: int) -> list[tuple[int, int, str]]:
    pieces = periods(found, begin=at(begin), end=at(end), apart_max=TEN)
    minute = timedelta(minutes=1)
    return [((p.begin - NOON) // minute, (p.end - NOON) // minute, p.verdict) for p in pieces]


def test_between_two_samples_a_clock_was_no_better_than_the_worse() -> None:
    found = samples((0, "within"), (5, "within"), (10, "beyond"), (15, "within"), (20, "within"))
    assert divided(found, 0, 20) == [(0, 5, "within"), (5, 15, "beyond"), (15, 20, "within")]


def test_where_samples_are_missing_nothing_is_said() -> None:
    found = samples((0, "within"), (5, "within"), (16, "within"), (21, "within"))
    assert divided(found, -5, 30) == [
        (-5, 0, MISSING),
        (0, 5, "within"),
        (5, 16, MISSING),
        (16, 21, "within"),
        (21, 30, MISSING),
    ]


def test_samples_before_and_after_a_range_speak_for_its_ends() -> None:
    assert divided(samples((0, "within"), (5, "within")), 1, 4) == [(1, 4, "within")]
    assert divided(samples((0, "within")), 1, 4) == [(1, 4, MISSING)]
    assert divided([], 1, 4) == [(1, 4, MISSING)]


@given(
    told=st.lists(st.tuples(st.integers(0, 60), st.sampled_from(VERDICTS)), max_size=20),
    ends=st.lists(st.integers(-10, 70), min_size=2, max_size=2, unique=True),
)
def test_periods_divide_the_range_without_gap_and_overlap(
    told: list[tuple[int, str]], ends: list[int]
) -> None:
    begin, end = sorted(ends)
    found = samples(*sorted(told))
    pieces = list(periods(found, begin=at(begin), end=at(end), apart_max=TEN))
    edges = [pieces[0].begin, *(piece.end for piece in pieces)]
    assert edges == sorted(set(edges))
    assert (edges[0], edges[-1]) == (at(begin), at(end))
    assert [piece.begin for piece in pieces] == edges[:-1]
    assert all(one.verdict != other.verdict for one, other in pairwise(pieces))
    inside = [one for one in found if at(begin) <= one.at < at(end)]
    assert sum(piece.sample_count for piece in pieces) <= len(inside)


def test_the_report_tells_each_host_by_itself_and_what_is_missing(engine: Session) -> None:
    for minutes, changes in (
        (0, {}),
        (5, {}),
        (10, {"is_synchronised": False}),
        (40, {}),
        (45, {"error_us_max": 500}),
    ):
        sample(engine, at(minutes), **changes)
    sample(engine, at(5), host="db-2", **UNKNOWN)
    made = make(engine, "clock-sync", Scope(begin=at(0), end=at(45)))
    told = [(row["host"], row["begin"], row["end"], row["verdict"]) for row in made.rows]
    assert told == [
        ("db-1", at(0), at(5), "within"),
        ("db-1", at(5), at(10), "unsynchronised"),
        ("db-1", at(10), at(40), MISSING),
        ("db-1", at(40), at(45), "within"),
        ("db-2", at(0), at(45), MISSING),
    ]
    assert made.rows[3]["divergence_us_max"] == 575
    assert made.facts["seconds"] == {
        "within": 600,
        "unproven": 0,
        "unknown": 0,
        "unsynchronised": 300,
        "beyond": 0,
        "missing": 1800 + 2700,
    }


def test_a_range_reaches_the_samples_beside_it_and_ends_now(
    engine: Session, minutes_ago: Callable[[int], datetime]
) -> None:
    none = make(engine, "clock-sync", Scope(begin=minutes_ago(10)))
    assert [(row["host"], row["verdict"]) for row in none.rows] == [(None, MISSING)]
    assert make(engine, "clock-sync").rows == []
    sample(engine, minutes_ago(12))
    sample(engine, minutes_ago(8))
    made = make(engine, "clock-sync", Scope(begin=minutes_ago(10), end=minutes_ago(-60)))
    assert [row["verdict"] for row in made.rows] == ["within", MISSING]
    assert made.facts["covers_to"] <= now(engine)
    assert make(engine, "clock-sync").rows[0]["samples"] == 1


@pytest.fixture
def minutes_ago(engine: Session) -> Callable[[int], datetime]:
    began = now(engine)
    return lambda minutes: began - timedelta(minutes=minutes)


def test_a_period_counts_its_samples() -> None:
    found = samples((0, "within"), (5, "within"), (10, "within"))
    assert list(periods(found, begin=at(0), end=at(10), apart_max=FIVE)) == [
        Period(at(0), at(10), "within", 2, Decimal(10))
    ]


@pytest.mark.parametrize("every", ["1 day", None, "10 seconds"])
def test_no_setting_of_the_job_says_that_a_clock_was_right_between_samples(
    engine: Session, every: str | None
) -> None:
    for at in (NOON, NOON + TEN, NOON + TEN * 2 + timedelta(seconds=1)):
        sample(engine, at)
    daily = None if every else "04:00"
    engine.execute(
        "UPDATE jobs SET every = %s::interval, daily_at = %s::time WHERE name = 'sample_clock'",
        (every, daily),
    )
    made = make(engine, "clock-sync", Scope(begin=NOON, end=NOON + TEN * 2))
    told = [(row["begin"] - NOON, row["verdict"]) for row in made.rows]
    assert told == [(timedelta(0), "within"), (TEN, MISSING)]
