"""Apply anybody's migrations to PostgreSQL, roll them back, and notice when the two disagree.

This room knows nothing of trading. Read `model` for what a migration is, `files` for how one is
found, `statements` for which may run in a transaction, `rules` for what is refused before anything
runs, and `service` for the four things one can ask: up, down, status, plan.
"""

from tradewright.migrate.files import find_migrations, our_migrations
from tradewright.migrate.model import (
    Migration,
    MigrationStatus,
    PlannedFile,
    Script,
    State,
    Step,
    Target,
)
from tradewright.migrate.service import down, plan, status, up
from tradewright.migrate.statements import Statement

__all__ = [
    "Migration",
    "MigrationStatus",
    "PlannedFile",
    "Script",
    "State",
    "Statement",
    "Step",
    "Target",
    "down",
    "find_migrations",
    "our_migrations",
    "plan",
    "status",
    "up",
]
