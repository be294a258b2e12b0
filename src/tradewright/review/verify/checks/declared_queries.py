"""Declared queries are measured on many rows with and without indexes: times, plans, ratio.

Without means that the planner is forbidden every kind of index scan, in the same session and on
the same pages. A query passes when its plan uses an index and is not much slower for it. What a
project declares stands in `verify/queries.sql`.
"""

from dataclasses import dataclass
from statistics import median
from typing import Any

from tradewright.postgres.connect import Session
from tradewright.review.verify.model import Check, Ground
from tradewright.review.verify.outcome import Outcome

RUNS_WITH = 5
RUNS_WITHOUT = 3
ROWS_PER_PATIENCE = 10_000
SLOWER_MAX = 2
"""How many times slower a query may be with its index; less is noise on a few rows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One query: medians in microseconds, and the indexes that its plan uses."""

    name: str
    with_us: int
    without_us: int
    indexes: tuple[str, ...]

    @property
    def ratio(self) -> int:
        """How many times faster the query is for its indexes, whole times."""
        return self.without_us // max(self.with_us, 1)

    def as_dict(self) -> dict[str, object]:
        """Return the figures as JSON-ready values."""
        return {
            "with_us": self.with_us,
            "without_us": self.without_us,
            "ratio": self.ratio,
            "indexes": list(self.indexes),
        }


def _run(ground: Ground) -> Outcome:
    queries = ground.declared.measured()
    if not queries:
        return Outcome.not_applicable("no query is declared in verify/queries.sql")
    with ground.shadow.neighbour(copy=True) as copy, copy.session() as session:
        for text in ground.declared.fills().values():
            session.execute(text.encode(), {"rows": ground.rows})
        session.execute("VACUUM ANALYZE")
        measured = [_measure(session, name, text) for name, text in queries.items()]
    problems = [f"{each.name} uses no index" for each in measured if not each.indexes]
    problems += [
        f"{each.name} is slower with its index: {each.with_us} µs, without {each.without_us} µs"
        for each in measured
        if each.with_us > SLOWER_MAX * each.without_us
    ]
    best = max(measured, key=lambda each: each.ratio)
    figures = (
        f"{len(measured)} queries on {ground.rows:,} rows, {_told(best.without_us)} → "
        f"{_told(best.with_us)} at best, {min(e.ratio for e in measured)} to {best.ratio} times"
    )
    facts = {"rows": ground.rows, "queries": {each.name: each.as_dict() for each in measured}}
    return Outcome.of(figures, problems, facts)


def _measure(session: Session, name: str, text: str) -> Measured:
    plans = [_explain(session, text) for _ in range(RUNS_WITH)]
    with session.transaction():
        for kind in ("enable_indexscan", "enable_indexonlyscan", "enable_bitmapscan"):
            session.execute(f"SET LOCAL {kind} = off".encode())
        bare = [_explain(session, text) for _ in range(RUNS_WITHOUT)]
    return Measured(
        name=name,
        with_us=_median_us(plans),
        without_us=_median_us(bare),
        indexes=tuple(sorted(set(_indexes(plans[-1]["Plan"])))),
    )


def _explain(session: Session, text: str) -> dict[str, Any]:
    row = session.execute(f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {text}".encode()).fetchone()
    plan: dict[str, Any] = row[0][0] if row else {}
    return plan


def _median_us(plans: list[dict[str, Any]]) -> int:
    return int(median(plan["Execution Time"] for plan in plans) * 1000)


def _indexes(node: dict[str, Any]) -> list[str]:
    own = [str(node["Index Name"])] if "Index Name" in node else []
    return [*own, *(name for child in node.get("Plans", ()) for name in _indexes(child))]


def _told(us: int) -> str:
    return f"{us / 1000:.2f} ms"


CHECK = Check(
    number=9,
    id="queries",
    title="Queries with and without their indexes",
    run=_run,
    is_part_of_review=False,
)
