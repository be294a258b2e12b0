"""The overview: who trades, what is stopped, what people must know, whether the house is whole."""

from collections.abc import Mapping, Sequence
from urllib.parse import parse_qs, urlencode

from tradewright import audit, migrate, operations
from tradewright.access import Action
from tradewright.console.fields import asked_identifier, choice_of, identifier
from tradewright.console.model import Done, Method, Page, Shown, Visit
from tradewright.console.pages.upkeep import ENGINES_MAX
from tradewright.console.paging import paged
from tradewright.console.store import Row, read, read_values
from tradewright.core.clock import utc_now
from tradewright.migrate.versions import version_text
from tradewright.postgres.connect import Session
from tradewright.risk import alerts
from tradewright.risk.breaker_store import read_breakers
from tradewright.risk.breakers import BreakerState
from tradewright.risk.store import read_halts
from tradewright.trading.inquiry import list_engines

_ALERTS_MAX = 15
_JOBS_MAX = 5


def show(visit: Visit) -> Shown:
    """Show what somebody must know who has just come in."""
    session = visit.session
    names = ("alerts", "payments", "breaks", "timing", "margin_calls", "corrections")
    breakers = read_breakers(session)
    late = sorted(filter(_needs_a_look, operations.list_jobs(session)), key=_worst_first)
    facts = {
        "waiting": dict(zip(names, read_values(session, "waiting"), strict=True)),
        "engines": list_engines(session, count_max=ENGINES_MAX),
        "halts": read_halts(session),
        "breakers": [b for b in breakers if b.state not in _AT_REST],
        "breaker_count": len(breakers),
        "alerts": read(session, "open_alerts", count_max=_ALERTS_MAX),
        "alert_counts": _by_severity(read(session, "open_alert_counts")),
        "jobs": late[:_JOBS_MAX],
        "late_count": len(late),
        "law_check": next(iter(audit.read_law_checks(session, count_max=1)), None),
        **_upkeep(visit, session),
    }
    return Shown("overview.html", facts)


def _by_severity(rows: Sequence[Row]) -> Mapping[str, int]:
    return {
        each: sum(row["count"] for row in rows if row["severity"] == each) for each in SEVERITIES
    }


_AT_REST = frozenset({BreakerState.ARMED, BreakerState.DISABLED})
_LATE_SECONDS = 60


def _needs_a_look(job: operations.JobStatus) -> bool:
    """Tell whether a job fails, or is overdue by more than its runner may need to begin."""
    is_late = job.overdue_seconds > _LATE_SECONDS and job.running_since is None
    return job.is_enabled and (job.failure_count > 0 or is_late)


def _worst_first(job: operations.JobStatus) -> tuple[int, float]:
    return -job.failure_count, -job.overdue_seconds


def _upkeep(visit: Visit, session: Session) -> dict[str, object]:
    (covered,) = read_values(session, "covered_until")
    ahead = None if covered is None else covered - utc_now()
    lines = visit.lookout.migrations.get(lambda: _migrations(visit))
    applied = [each for each in lines if each.state is migrate.State.APPLIED]
    return {
        "covered_until": covered,
        "days_ahead": None if ahead is None else ahead.days,
        "schema": visit.house.schema,
        "unsettled": [each for each in lines if each.state is not migrate.State.APPLIED],
        "version": version_text(applied[-1].version) if applied else None,
    }


def _migrations(visit: Visit) -> Sequence[migrate.MigrationStatus]:
    target = migrate.Target(conninfo=visit.house.conninfo, schema=visit.house.schema)
    return migrate.status(target, migrate.find_migrations(migrate.our_migrations()))


def show_alerts(visit: Visit) -> Shown:
    """Show alerts, the newest first: those that wait, or all, by how grave and of what kind."""
    asked = {
        "severity": choice_of(visit, "severity", SEVERITIES),
        "kind": visit.word("kind"),
        "with_all": choice_of(visit, "state", _STATES) == "all",
    }
    found = paged(
        visit,
        "page",
        lambda count, passed: read(
            visit.session, "alerts", **asked, count_max=count, passed=passed
        ),
    )
    facts = {
        "alerts": found,
        "counts": read(visit.session, "open_alert_counts"),
        "severities": SEVERITIES,
        "states": _STATES,
        "query": urlencode({name: word for name in _FILTERS if (word := visit.word(name))}),
    }
    return Shown("alerts.html", facts)


SEVERITIES = ("critical", "warning", "info")
_STATES = ("open", "all")
_FILTERS = ("state", "severity", "kind")


def acknowledge(visit: Visit) -> Done:
    """Note that alerts have been seen."""
    ids = [identifier(text) for text in visit.form.get("alert", ())]
    alerts.acknowledge(visit.session, ids, actor=visit.caller.actor)
    return Done(_place_of_alerts(visit.said("from")), "acknowledged")


def _place_of_alerts(query: str | None) -> str:
    """Return the page that a form was on, with its filters; nothing else that a form may say."""
    if not query:
        return "/"
    asked = parse_qs(query)
    kept = {name: asked[name][0] for name in _FILTERS if name in asked}
    return f"/alerts?{urlencode(kept)}" if kept else "/alerts"


def show_laws(visit: Visit) -> Shown:
    """Show what came of the last check of the laws, and all those before."""
    found = paged(
        visit,
        "page",
        lambda count, passed: audit.read_law_checks(visit.session, count_max=count, passed=passed),
    )
    shown = asked_identifier(visit, "check")
    last = audit.read_law_checks(visit.session, count_max=1, check_id=shown)
    return Shown("laws.html", {"law_check": last[0] if last else None, "checks": found})


def check_laws(visit: Visit) -> Done:
    """Check every law now; within a minute, or not at all."""
    visit.lookout.laws.check(visit.session, actor=visit.caller.actor)
    return Done("/laws", "checked")


PAGES = (
    Page(Action.READ_LAWS, "/", show),
    Page(Action.READ_LAWS, "/alerts", show_alerts),
    Page(Action.ACKNOWLEDGE_ALERTS, "/alerts/acknowledge", acknowledge, Method.SEND),
    Page(Action.READ_LAWS, "/laws", show_laws),
    Page(Action.READ_LAWS, "/laws/check", check_laws, Method.SEND),
)
