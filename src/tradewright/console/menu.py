"""The menu: the parts of the console that somebody may enter."""

from typing import NamedTuple

from tradewright.access import Action, Caller, may


class Entry(NamedTuple):
    """A part of the console: where it begins, what it is called, and what it takes to enter."""

    path: str
    name: str
    action: Action
    within: tuple[str, ...] = ()
    """Where else its pages are; none of them begins as another part does."""


ENTRIES = (
    Entry("/", "Overview", Action.READ_LAWS, ("/alerts", "/engines", "/jobs", "/laws", "/backups")),
    Entry("/dealer", "Dealer", Action.READ_DEALING, ("/orders",)),
    Entry("/risk", "Risk", Action.READ_RISK),
    Entry("/payments", "Payments", Action.READ_PAYMENTS),
    Entry("/clients", "Clients", Action.READ_CLIENTS, ("/accounts",)),
    Entry("/audit", "Audit", Action.READ_AUDIT),
    Entry("/settings", "Settings", Action.READ_DEALING),
    Entry("/migrations", "Migrations", Action.READ_OPERATIONS),
)


def menu(caller: Caller) -> list[Entry]:
    """Return what a caller may enter."""
    return [entry for entry in ENTRIES if may(caller, entry.action)]
