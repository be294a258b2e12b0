"""Tell others what became of payments: at least once, in order for each payment, signed.

A trigger writes each change of state to `outbox_events`, in the transaction of the change. This
worker claims the oldest undelivered event of each payment, refund or dispute, sends it with no
transaction open, and notes the answer. An event that is not taken is tried again, later and later;
the next event of the same object waits for it until it is taken or given up. Receivers tell
repeats apart by the header `webhook-id`.
"""

import json
from dataclasses import dataclass
from datetime import timedelta

from tradewright.payments.webhooks.post import GONE, Answer, Endpoint, post, require_endpoint
from tradewright.postgres.connect import Session
from tradewright.postgres.queries import load_queries

BACKOFF = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
"""The waits after each attempt that failed, as Standard Webhooks advises; then it is given up."""

LEASE = timedelta(minutes=2)
"""How long a worker that claimed an event is given; after that another may send it again."""


@dataclass(frozen=True, slots=True)
class OutboxEvent:
    """An event that a worker has claimed; `attempt` counts from 1."""

    id: str
    event_type: str
    body: bytes
    attempt: int


@dataclass(frozen=True, slots=True)
class Delivery:
    """What one run of the worker did."""

    delivered: int = 0
    postponed: int = 0
    given_up: int = 0


def deliver_due(connection: Session, endpoint: Endpoint, *, count_max: int = 100) -> Delivery:
    """Send every event that is due, until none is or `count_max` were tried.

    `connection` is in autocommit: no transaction is open while an event is sent. Any number of
    workers may run beside each other. No attempt is spent on an endpoint that cannot be sent to.

    Raises:
        InputError: WEBHOOK_ENDPOINT_MALFORMED, WEBHOOK_KEY_MALFORMED.

    """
    require_endpoint(endpoint)
    counts = {"delivered": 0, "postponed": 0, "given_up": 0}
    for _ in range(count_max):
        event = _claim(connection)
        if event is None:
            break
        counts[_note(connection, event, post(endpoint, event.id, event.body))] += 1
    return Delivery(**counts)


def _claim(connection: Session) -> OutboxEvent | None:
    row = connection.execute(
        load_queries("tradewright.payments")["claim_outbox_event"], {"lease": LEASE}
    ).fetchone()
    if row is None:
        return None
    told = {"id": row[0], "type": row[1], "created_at": row[3].isoformat(), "data": row[2]}
    return OutboxEvent(row[0], row[1], json.dumps(told).encode(), row[4])


def _note(connection: Session, event: OutboxEvent, answer: Answer) -> str:
    """Note the answer to an event and return what became of it."""
    is_last = event.attempt > len(BACKOFF) or answer.status == GONE
    became = "delivered" if answer.is_taken else "given_up" if is_last else "postponed"
    pause = timedelta(0) if became != "postponed" else BACKOFF[event.attempt - 1]
    connection.execute(
        load_queries("tradewright.payments")["note_outbox_answer"],
        {
            "id": event.id,
            "became": became,
            "pause": pause,
            "answer": f"{answer.status or ''} {answer.text}".strip()[:500],
        },
    )
    return became
