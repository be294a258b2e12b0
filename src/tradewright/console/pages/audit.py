"""Audit: the trail of any id, who changed what in some days, and the seals."""

from tradewright import audit
from tradewright.access import Action
from tradewright.console.fields import asked_identifier, days_of
from tradewright.console.model import Page, Shown, Visit
from tradewright.console.paging import paged
from tradewright.console.store import read
from tradewright.operations.partitions import list_partitions

_TRAIL_MAX = 1_000
_SEALS_MAX = 50


def show(visit: Visit) -> Shown:
    """Show who changed what in some days, today's unless others are asked for."""
    days = days_of(visit)
    first_id, last_id = days.ids
    filters = {
        "first_id": first_id,
        "last_id": last_id,
        "since": days.begins,
        "until": days.ends,
        "actor": visit.word("actor"),
        "table_name": visit.word("table"),
    }
    found = paged(
        visit,
        "page",
        lambda count, passed: read(
            visit.session, "changes", **filters, count_max=count, passed=passed
        ),
    )
    archived = read(visit.session, "archived_months", since=days.begins, until=days.ends)
    facts = {"changes": found, "days": days, "archived": archived}
    return Shown("audit.html", facts)


def show_trail(visit: Visit) -> Shown:
    """Show what was recorded under an id."""
    subject = asked_identifier(visit, "id")
    trail = None
    if subject is not None:
        trail = audit.read_trail(visit.session, subject, entries_max=_TRAIL_MAX)
    return Shown("trail.html", {"subject": subject, "trail": trail, "entries_max": _TRAIL_MAX})


def show_months(visit: Visit) -> Shown:
    """Show the months of the audit log: what is there, archived, and made ahead."""
    return Shown("months.html", {"months": list_partitions(visit.session)})


def show_seals(visit: Visit) -> Shown:
    """Show the seals of the audit log, and whether they and the records hold if that is asked."""
    is_asked = visit.word("verify") is not None
    facts = {
        "seals": read(visit.session, "seals", count_max=_SEALS_MAX),
        "found": audit.verify(visit.session) if is_asked else None,
        "records": audit.verify_records(visit.session) if is_asked else None,
    }
    return Shown("seals.html", facts)


PAGES = (
    Page(Action.READ_AUDIT, "/audit", show),
    Page(Action.READ_AUDIT, "/audit/trail", show_trail),
    Page(Action.READ_AUDIT, "/audit/seals", show_seals),
    Page(Action.READ_AUDIT, "/audit/months", show_months),
)
