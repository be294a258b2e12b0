"""Clock synchronisation: for which times the record's clock was within a millisecond of UTC.

RTS 25 (Delegated Regulation (EU) 2017/574), annex, table 2: one millisecond for who trades
electronically, though not at high frequency. Annex IV of Delegated Regulation (EU) 2017/565
measures the times of order records by that standard. What is known comes from `clock_samples`.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta

from tradewright.compliance import store
from tradewright.compliance.clock_periods import MISSING, VERDICTS, Period, Sample, periods
from tradewright.compliance.model import Findings, Option, Report, Scope
from tradewright.postgres.connect import Session
from tradewright.postgres.queries import load_queries

APART_MAX = timedelta(minutes=10)
"""Samples may be so far apart: two intervals of their job as it is set up, because one may be late.

No setting widens it: what was not known then is not known because samples are rarer now.
"""


def _read(session: Session, scope: Scope) -> Findings:
    queries = load_queries("tradewright.compliance.reports")
    asked = {"begin": scope.begin, "end": scope.end}
    begin, end = session.execute(queries["clock_range"], asked).fetchone() or ()
    hosts: dict[str | None, list[Sample]] = {}
    for host, *sample in store.stream(session, queries["clock_samples"], asked):
        hosts.setdefault(host, []).append(Sample(*sample))
    facts = {
        "bound_us": 1000,
        "covers_from": begin,
        "covers_to": end,
        "samples_apart_max": str(APART_MAX),
        "samples": sum(map(len, hosts.values())),
    }
    if not hosts and begin is not None:
        hosts = {None: []}
    found = [
        (host, period)
        for host, samples in hosts.items()
        for period in _periods(samples, begin, end)
    ]
    return Findings({**facts, **_summary(found)}, (_row(host, period) for host, period in found))


def _summary(found: list[tuple[str | None, Period]]) -> dict[str, object]:
    seconds = _seconds(period for _, period in found)
    return {"seconds": seconds, "excluded": "nothing", "rows": len(found)}


def _periods(samples: list[Sample], begin: datetime | None, end: datetime) -> list[Period]:
    first = samples[0].at if begin is None else begin
    return list(periods(samples, begin=first, end=end, apart_max=APART_MAX)) if first < end else []


def _seconds(found: Iterable[Period]) -> dict[str, int]:
    """Return for how many whole seconds each is known, of all hosts."""
    lasted: Counter[str] = Counter()
    for period in found:
        lasted[period.verdict] += (period.end - period.begin) // timedelta(seconds=1)
    return {verdict: lasted[verdict] for verdict in (*VERDICTS, MISSING)}


def _row(host: str | None, period: Period) -> tuple[object, ...]:
    return (
        host,
        period.begin,
        period.end,
        period.verdict,
        period.sample_count,
        period.divergence_us_max,
    )


REPORT = Report(
    name="clock-sync",
    purpose="for which times the records' clock was within a millisecond of UTC",
    law="Delegated Regulation (EU) 2017/574 (RTS 25), annex, table 2: 1 ms",
    options=(Option.BEGIN, Option.END),
    columns=("host", "begin", "end", "verdict", "samples", "divergence_us_max"),
    shown=("host", "begin", "end", "verdict", "samples", "divergence_us_max"),
    read=_read,
)
