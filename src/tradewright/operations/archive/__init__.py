"""Retention and archive of the audit log: months that grow old go to files, and come back.

`run` writes months to files and takes them out of the database, `verify` holds files against what
is known of them, `restore` brings a month back and purges what need not be kept, `terms` are what
people decide: for how long, and what is held. `rows` says how a row is hashed, `files` how it is
kept; `store` is the only SQL. Migration 003 keeps the order of steps, their times and the holds.
"""

from tradewright.operations.archive.model import (
    Archive,
    ArchiveState,
    Hold,
    MonthCheck,
    MonthReport,
    Retention,
    read_month,
)
from tradewright.operations.archive.restore import purge, purgeable, restore
from tradewright.operations.archive.run import months_to_archive, rewrite, run
from tradewright.operations.archive.store import may_archive, read_archives
from tradewright.operations.archive.terms import (
    change_retention,
    hold,
    lift,
    read_holds,
    read_retention,
)
from tradewright.operations.archive.verify import verify

__all__ = [
    "Archive",
    "ArchiveState",
    "Hold",
    "MonthCheck",
    "MonthReport",
    "Retention",
    "change_retention",
    "hold",
    "lift",
    "may_archive",
    "months_to_archive",
    "purge",
    "purgeable",
    "read_archives",
    "read_holds",
    "read_month",
    "read_retention",
    "restore",
    "rewrite",
    "run",
    "verify",
]
