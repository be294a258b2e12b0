"""Upkeep: engines and the figures of the house, jobs, and whether backups are what was declared."""

from tradewright import operations
from tradewright.access import Action, may
from tradewright.console.model import Page, Shown, Visit
from tradewright.console.store import read
from tradewright.operations.backup.record import read_runs
from tradewright.operations.gauges import read_gauges
from tradewright.trading.inquiry import list_engines

ENGINES_MAX = 100
_RUNS_MAX = 50


def show_engines(visit: Visit) -> Shown:
    """Show the engines that nobody has taken over from, and to who may see dealing, the figures."""
    sees_all = may(visit.caller, Action.READ_DEALING)  # exposures are among the figures
    facts = {
        "engines": list_engines(visit.session, count_max=ENGINES_MAX),
        "readings": read_gauges(visit.session) if sees_all else None,
    }
    return Shown("engines.html", facts)


def show_jobs(visit: Visit) -> Shown:
    """Show every job and what came of its last run."""
    return Shown("jobs.html", {"jobs": operations.list_jobs(visit.session)})


def show_backups(visit: Visit) -> Shown:
    """Show what is declared of backups, and what came of the last backups and drills."""
    facts = {
        "terms": read(visit.session, "backup_terms_held"),
        "runs": read_runs(visit.session, _RUNS_MAX),
    }
    return Shown("backups.html", facts)


PAGES = (
    Page(Action.READ_LAWS, "/engines", show_engines),
    Page(Action.READ_LAWS, "/jobs", show_jobs),
    Page(Action.READ_LAWS, "/backups", show_backups),
)
