"""Migrations: what is applied, how the database differs from its files, and our own review."""

from tradewright import migrate
from tradewright.access import Action
from tradewright.console.model import Method, Page, Shown, Visit
from tradewright.migrate.upkeep import find_drift
from tradewright.migrate.versions import version_text
from tradewright.review.model import Severity
from tradewright.review.result import review_folder
from tradewright.review.score import score_of


def show(visit: Visit) -> Shown:
    """Show each version with its time and checksum."""
    lines = migrate.status(_target(visit), migrate.find_migrations(migrate.our_migrations()))
    facts = {
        "lines": [(version_text(line.version), line) for line in lines],
        "schema": visit.house.schema,
    }
    return Shown("migrations.html", facts)


def show_drift(_visit: Visit) -> Shown:
    """Offer to compare the database with its files."""
    return Shown("drift.html", {"differences": None})


def find_differences(visit: Visit) -> Shown:
    """Compare the database with what its files make on a scratch database, made for it."""
    migrations = migrate.find_migrations(migrate.our_migrations())
    return Shown("drift.html", {"differences": find_drift(_target(visit), migrations)})


def show_review(visit: Visit) -> Shown:
    """Review the files, if that is asked for."""
    if visit.word("run") is None:
        return Shown("review.html", {"score": None})
    review = review_folder(migrate.our_migrations())
    facts = {
        "score": score_of(review.findings),
        "findings": review.findings,
        "files": review.files,
        "counts": {str(severity): review.count(severity) for severity in Severity},
    }
    return Shown("review.html", facts)


def _target(visit: Visit) -> migrate.Target:
    return migrate.Target(conninfo=visit.house.conninfo, schema=visit.house.schema)


PAGES = (
    Page(Action.READ_OPERATIONS, "/migrations", show),
    Page(Action.READ_OPERATIONS, "/migrations/drift", show_drift),
    Page(Action.READ_OPERATIONS, "/migrations/drift", find_differences, Method.SEND),
    Page(Action.READ_OPERATIONS, "/migrations/review", show_review),
)
