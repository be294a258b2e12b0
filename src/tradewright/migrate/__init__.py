"""Apply anybody's migrations to PostgreSQL, roll them back, and notice when the two disagree.

This room knows nothing of trading. Read `model` for what a migration is, `files` for how one is
found, `statements` for which may run in a transaction, `rules` for what is refused before anything
runs, and `service` for the four things one can ask: up, down, status, plan. The names below are
imported when they are used: the review reads `naming` and `sections` without the runner.
"""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
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

_MODULES = {
    "files": ("find_migrations", "our_migrations"),
    "model": ("Migration", "MigrationStatus", "PlannedFile", "Script", "State", "Step", "Target"),
    "service": ("down", "plan", "status", "up"),
    "statements": ("Statement",),
}


def __getattr__(name: str) -> object:
    """Import a public name when it is first asked for."""
    for module, names in _MODULES.items():
        if name in names:
            value: object = getattr(importlib.import_module(f"{__name__}.{module}"), name)
            globals()[name] = value
            return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
