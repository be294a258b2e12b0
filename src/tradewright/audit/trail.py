"""The trail of one thing: what was recorded of a row, an order, a payment or a holder, in order.

Three kinds of record make one story (migration 003 says why there are three): the audit log, the
events and fills of orders, and the entries of the ledger.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tradewright.postgres.connect import Session
from tradewright.postgres.queries import load_queries


@dataclass(frozen=True, slots=True)
class TrailEntry:
    """One recorded fact: when, in which table, what happened, by whom, and its values.

    `actor` is empty where the record is the ledger's own, which names transactions, not persons.
    """

    occurred_at: datetime
    source: str
    action: str
    actor: str | None
    details: Mapping[str, Any]
    reason: str | None


def read_trail(
    connection: Session, subject_id: str, *, entries_max: int = 1000
) -> list[TrailEntry]:
    """Read what was recorded of a row, oldest first; at most the last `entries_max` entries.

    `subject_id` is the id of any audited row, of an order (its events, the answers of providers,
    and the ledger entries of its trades), of a payment (its checks and ledger entries), of a
    position (its trades) or of a wallet or account (its ledger entries). For changes in a month
    that is archived one entry stands that says which and how many; `archived_months` names them.
    """
    query = load_queries("tradewright.audit")["trail"]
    rows = connection.execute(query, {"subject_id": subject_id, "entries_max": entries_max})
    return [TrailEntry(*row) for row in rows]


def archived_months(trail: Sequence[TrailEntry]) -> list[str]:
    """Return the months, such as 2023-04, whose archive holds changes that a trail cannot show.

    A month whose file was purged holds none any more; its entry in the trail says so.
    """
    return [
        str(entry.details["month"])
        for entry in trail
        if (entry.source, entry.action) == ("audit_archives", "archived")
        and entry.details["state"] != "purged"
    ]
