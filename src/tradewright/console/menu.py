"""The menu: the parts of the console that somebody may enter."""

from typing import NamedTuple

from tradewright.access import Action, Caller, may


class Entry(NamedTuple):
    """A part of the console: where it begins, what it is called, and what it takes to enter."""

    path: str
    name: str
    action: Action


ENTRIES = (
    Entry("/", "Overview", Action.READ_LAWS),
    Entry("/dealer", "Dealer", Action.READ_DEALING),
    Entry("/risk", "Risk", Action.READ_RISK),
    Entry("/payments", "Payments", Action.READ_PAYMENTS),
    Entry("/clients", "Clients", Action.READ_CLIENTS),
    Entry("/audit", "Audit", Action.READ_AUDIT),
    Entry("/settings", "Settings", Action.READ_DEALING),
    Entry("/migrations", "Migrations", Action.READ_OPERATIONS),
)


def menu(caller: Caller) -> list[Entry]:
    """Return what a caller may enter."""
    return [entry for entry in ENTRIES if may(caller, entry.action)]
