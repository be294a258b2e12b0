"""Read the house's gauges in one transaction, so that all show the same moment.

Each query reads what is open, kept small by a partial index, or one row for each job, symbol or
view: what a scrape every few seconds may cost a house of any size.
"""

from tradewright.operations.gauges.model import Gauge, Reading
from tradewright.postgres.connect import Session
from tradewright.postgres.queries import load_queries

_FIGURES = (
    ("alerts_open", "Alerts that nobody has acknowledged and that are not over.", "kind severity"),
    ("job_overdue_seconds", "How long an enabled job has been due; 0 while it is not.", "job"),
    ("job_failures", "How often a job has failed since it last succeeded.", "job"),
    ("engines_alive", "Engines that hold the lock which shows that they live.", ""),
    ("engines_lost", "Engines that are gone and that no other has taken over from.", ""),
    (
        "exposure",
        "The house's net position in units of the base currency; long is positive.",
        "symbol",
    ),
    ("hedges_open", "Hedges that providers have not ended yet.", "symbol"),
    ("price_age_seconds", "How long ago the last price that was kept was quoted.", "symbol"),
    ("halts_in_force", "Halts of trading that nobody has lifted.", "mode scope"),
    ("breakers_not_armed", "Circuit breakers that are triggered or cooling down.", "breaker state"),
    ("margin_calls_open", "Accounts under a margin call.", ""),
    (
        "unsolicited_fills_open",
        "Executions of providers that fit no order and wait for people.",
        "provider",
    ),
    (
        "provider_breaks_open",
        "Differences between our executions and a provider's list.",
        "provider bucket",
    ),
    (
        "payment_breaks_open",
        "Differences between payments, ledger and statements.",
        "provider bucket",
    ),
    ("payments_unsubmitted", "Payments that are to be handed to a provider.", "provider"),
    ("payments_unsubmitted_oldest_seconds", "Age of the oldest of them.", "provider"),
    ("claims_open", "Refunds and disputes that have no end yet.", "kind"),
    ("webhooks_waiting", "Messages of payment providers that cannot be applied yet.", "provider"),
    ("outbox_waiting", "Events that were not delivered to those who asked for them.", ""),
    ("outbox_oldest_seconds", "Age of the oldest of them; 0 where none waits.", ""),
    ("owed_by_clients", "What clients owe the house after payments were taken back.", "currency"),
    (
        "ledger_unsealed_seconds",
        "Age of the oldest movement that no seal covers; 0 where none is.",
        "",
    ),
    ("audit_months_ahead", "Months of the audit log that are ready beyond the present one.", ""),
    ("backup_age_seconds", "How far back the newest good backup, log or drill reaches.", "kind"),
    ("view_age_seconds", "Age of what a reporting view shows.", "view"),
    (
        "clock_divergence_seconds",
        "Bound of how far a host's clock is from UTC, by its last sample.",
        "host",
    ),
)

GAUGES = tuple(
    Gauge(name=f"tradewright_{name}", what=what, query=name, labels=tuple(labels.split()))
    for name, what, labels in _FIGURES
)
"""All gauges of a house, in the order in which they are shown."""


def read_gauges(session: Session) -> list[Reading]:
    """Return what every gauge shows at one moment.

    Raises:
        psycopg.Error: the server is away, or the role may not read a table.

    """
    queries = load_queries("tradewright.operations.gauges")
    with session.transaction():
        session.execute(queries["one_moment"])
        return [
            Reading(gauge, [(tuple(row[:-1]), float(row[-1])) for row in rows])
            for gauge in GAUGES
            for rows in [session.execute(queries[gauge.query]).fetchall()]
        ]
