"""The catalogue of jobs: one file each, named like its row in `jobs` and in the reference."""

from collections.abc import Mapping
from types import MappingProxyType

from tradewright.operations.jobs import (
    archive_audit_log,
    collect_debts,
    deliver_events,
    expire_holds,
    make_audit_partitions,
    prune_records,
    prune_view_refreshes,
    record_rates,
    refresh_reporting_views,
    retry_webhooks,
    roll_up_exposures,
    roll_up_house_balances,
    sample_clock,
    seal_audit_log,
    seal_ledger,
    seal_records,
    submit_payments,
    watch_backups,
    watch_reporting_views,
)
from tradewright.operations.model import Job

_MODULES = (
    archive_audit_log,
    collect_debts,
    deliver_events,
    expire_holds,
    make_audit_partitions,
    prune_records,
    prune_view_refreshes,
    record_rates,
    refresh_reporting_views,
    retry_webhooks,
    roll_up_exposures,
    roll_up_house_balances,
    sample_clock,
    seal_audit_log,
    seal_ledger,
    seal_records,
    submit_payments,
    watch_backups,
    watch_reporting_views,
)

JOBS: Mapping[str, Job] = MappingProxyType({module.JOB.name: module.JOB for module in _MODULES})
"""Every job by its name."""
