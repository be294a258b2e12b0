"""The overview: who trades, what is stopped, what people must know, whether the house is whole."""

from tradewright import audit, migrate, operations
from tradewright.access import Action
from tradewright.console.fields import asked_identifier, identifier
from tradewright.console.model import Done, Method, Page, Shown, Visit
from tradewright.console.paging import paged
from tradewright.console.store import read_values
from tradewright.core.clock import utc_now
from tradewright.migrate.versions import version_text
from tradewright.postgres.connect import Session
from tradewright.risk import alerts
from tradewright.risk.breaker_store import read_breakers
from tradewright.risk.breakers import BreakerState
from tradewright.risk.store import read_halts
from tradewright.trading.inquiry import list_engines

_ALERTS_MAX = 15
_ENGINES_MAX = 100


def show(visit: Visit) -> Shown:
    """Show what somebody must know who has just come in."""
    session = visit.session
    names = ("alerts", "payments", "breaks", "margin_calls", "corrections")
    breakers = read_breakers(session)
    facts = {
        "waiting": dict(zip(names, read_values(session, "waiting"), strict=True)),
        "engines": list_engines(session, count_max=_ENGINES_MAX),
        "halts": read_halts(session),
        "breakers": [b for b in breakers if b.state not in _AT_REST],
        "breaker_count": len(breakers),
        "alerts": alerts.read_alerts(session, count_max=_ALERTS_MAX),
        "jobs": [job for job in operations.list_jobs(session) if _needs_a_look(job)],
        "law_check": next(iter(audit.read_law_checks(session, count_max=1)), None),
        **_upkeep(visit, session),
    }
    return Shown("overview.html", facts)


_AT_REST = frozenset({BreakerState.ARMED, BreakerState.DISABLED})
_LATE_SECONDS = 60


def _needs_a_look(job: operations.JobStatus) -> bool:
    """Tell whether a job fails, or is overdue by more than its runner may need to begin."""
    is_late = job.overdue_seconds > _LATE_SECONDS and job.running_since is None
    return job.is_enabled and (job.failure_count > 0 or is_late)


def _upkeep(visit: Visit, session: Session) -> dict[str, object]:
    (covered,) = read_values(session, "covered_until")
    ahead = None if covered is None else covered - utc_now()
    target = migrate.Target(conninfo=visit.house.conninfo, schema=visit.house.schema)
    lines = migrate.status(target, migrate.find_migrations(migrate.our_migrations()))
    applied = [each for each in lines if each.state is migrate.State.APPLIED]
    return {
        "covered_until": covered,
        "days_ahead": None if ahead is None else ahead.days,
        "schema": visit.house.schema,
        "unsettled": [each for each in lines if each.state is not migrate.State.APPLIED],
        "version": version_text(applied[-1].version) if applied else None,
    }


def show_alerts(visit: Visit) -> Shown:
    """Show every alert, those that are acknowledged or over too."""
    found = paged(
        visit,
        "page",
        lambda count, passed: alerts.read_alerts(
            visit.session, count_max=count + passed, with_acknowledged=True
        )[passed:],
    )
    return Shown("alerts.html", {"alerts": found})


def acknowledge(visit: Visit) -> Done:
    """Note that alerts have been seen."""
    ids = [identifier(text) for text in visit.form.get("alert", ())]
    alerts.acknowledge(visit.session, ids, actor=visit.caller.actor)
    return Done("/alerts" if visit.said("from") == "alerts" else "/", "acknowledged")


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
    visit.laws.check(visit.session, actor=visit.caller.actor)
    return Done("/laws", "checked")


def show_jobs(visit: Visit) -> Shown:
    """Show every job and what came of its last run."""
    return Shown("jobs.html", {"jobs": operations.list_jobs(visit.session)})


PAGES = (
    Page(Action.READ_LAWS, "/", show),
    Page(Action.READ_LAWS, "/alerts", show_alerts),
    Page(Action.ACKNOWLEDGE_ALERTS, "/alerts/acknowledge", acknowledge, Method.SEND),
    Page(Action.READ_LAWS, "/laws", show_laws),
    Page(Action.READ_LAWS, "/laws/check", check_laws, Method.SEND),
    Page(Action.READ_LAWS, "/jobs", show_jobs),
)
