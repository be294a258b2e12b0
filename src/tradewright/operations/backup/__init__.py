"""Backups of a house, and drills that show whether they can be restored.

Read `model` for what is written down of a backup, `taking` for how one is made, `folders` for
finding, keeping and pruning them, `verifying` for what is on the disk, `drill` for restoring one on
a scratch server. What is compared, and why it is sound beside writers, stands in decision 065.
"""

from tradewright.operations.backup.drill import DrillReport, drill
from tradewright.operations.backup.folders import (
    Backup,
    find_backup,
    latest_backup,
    list_backups,
    prune,
    to_prune,
)
from tradewright.operations.backup.model import BackupKind, Manifest
from tradewright.operations.backup.record import BackupRun, read_runs, record_drill, require_age
from tradewright.operations.backup.taking import House, Order, take_backup
from tradewright.operations.backup.verifying import verify_backup

__all__ = [
    "Backup",
    "BackupKind",
    "BackupRun",
    "DrillReport",
    "House",
    "Manifest",
    "Order",
    "drill",
    "find_backup",
    "latest_backup",
    "list_backups",
    "prune",
    "read_runs",
    "record_drill",
    "require_age",
    "take_backup",
    "to_prune",
    "verify_backup",
]
