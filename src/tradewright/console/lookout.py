"""What all visits of a console share: one check of the laws, one valuation, one look at the files.

Nothing here is the truth: the database is, and several consoles may run beside each other.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from tradewright.console.keeping import Kept
from tradewright.console.laws import LawKeeper
from tradewright.console.standings import SECONDS_KEPT, Valuation
from tradewright.migrate import MigrationStatus

MIGRATIONS_SECONDS_KEPT = 30
"""Migrations change when somebody runs them; to compare them takes a connection of its own."""


@dataclass(frozen=True, slots=True)
class Lookout:
    """What is read once for all who look at a console."""

    laws: LawKeeper = field(default_factory=LawKeeper)
    standings: Kept[Valuation] = field(default_factory=lambda: Kept(SECONDS_KEPT))
    migrations: Kept[Sequence[MigrationStatus]] = field(
        default_factory=lambda: Kept(MIGRATIONS_SECONDS_KEPT)
    )
