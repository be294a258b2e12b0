"""The inbox: each signed message of a provider once, its money and its mark in one transaction.

Messages about one payment are taken one after the other, under a lock on its name; of two workers
with the same message one waits and then finds it done. What waits is tried again with each message
about the same payment, and by `retry_waiting`.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from types import MappingProxyType
from typing import Any

import psycopg

from tradewright.audit import acting_as
from tradewright.core.errors import (
    DatabaseError,
    ErrorCode,
    InputError,
    MoneyError,
    TradewrightError,
)
from tradewright.payments.model import Provider
from tradewright.payments.providers import cards, chain
from tradewright.payments.providers.event import ProviderEvent, malformed
from tradewright.payments.webhooks.apply import apply_event
from tradewright.payments.webhooks.outcome import Outcome, OutcomeKind
from tradewright.postgres.connect import Session
from tradewright.postgres.queries import load_queries
from tradewright.postgres.refusals import is_connection_lost, is_retryable, translate
from tradewright.postgres.retry import SessionSource, run_transaction

READERS: Mapping[Provider, Callable[[bytes], ProviderEvent]] = MappingProxyType(
    {Provider.CARDS: cards.read_event, Provider.CHAIN: chain.read_event}
)
"""How each provider's messages are read."""


LONG_WAIT = timedelta(hours=1)
"""People are told of a message that has waited for longer."""


@dataclass(frozen=True, slots=True)
class Message:
    """A message whose signature held."""

    provider: Provider
    event_id: str
    body: bytes


def receive(connection: Session, message: Message) -> Outcome:
    """Take one message in the caller's transaction: kept, applied, and marked with its outcome.

    The same message again changes nothing and is answered as ignored. What the house's rules
    refuse is kept as conflicted, and its money untouched.

    Raises:
        InputError: WEBHOOK_BODY_MALFORMED.
        MoneyError: MONEY_IDEMPOTENCY_CONFLICT when the id was used for another body.

    """
    event = READERS[message.provider](message.body)
    _lock_reference(connection, message.provider, event.reference)
    row_id = _keep(connection, message, event)
    if row_id is None:
        return _replayed(connection, message)
    outcome = _try(connection, message.provider, event)
    _mark(connection, row_id, outcome)
    if outcome.kind is OutcomeKind.APPLIED:
        _retry(connection, message.provider, event.reference)
    return outcome


def retry_waiting(source: SessionSource, provider: Provider) -> int:
    """Try every waiting message of a provider again; return how many no longer wait.

    Each payment has a transaction of its own, so that no two payments' locks are held at once.
    """

    def references(connection: Session) -> list[str]:
        query = load_queries("tradewright.payments.webhooks")["waiting_references"]
        return [row[0] for row in connection.execute(query, {"provider": provider})]

    waiting = run_transaction(source, references, idempotent=True)
    return sum(
        run_transaction(source, partial(_retry_locked, provider, reference), idempotent=True)
        for reference in waiting
    )


def raise_long_waiting(source: SessionSource) -> int:
    """Raise an alert for each message that has waited too long and has none; return how many."""

    def work(connection: Session) -> int:
        query = load_queries("tradewright.payments.webhooks")["raise_long_waiting"]
        return connection.execute(query, {"waited": LONG_WAIT}).rowcount

    return run_transaction(source, work, idempotent=True)


def retry_conflict(source: SessionSource, provider: Provider, event_id: str) -> str:
    """Try a message in conflict again, such as one for a wallet that was closed; return its status.

    Raises:
        InputError: WEBHOOK_EVENT_UNKNOWN when no message of this id is in conflict.

    """

    def work(connection: Session) -> str:
        queries = load_queries("tradewright.payments.webhooks")
        parameters = {"provider": provider, "event_id": event_id}
        row = connection.execute(queries["reopen"], parameters).fetchone()
        if row is None:
            raise InputError(
                ErrorCode.WEBHOOK_EVENT_UNKNOWN,
                f'no message "{event_id}" of provider {provider} is in conflict',
                why="Only messages in conflict are tried again one by one.",
                hint="List them with tradewright payments events --status conflicted.",
            )
        _retry_locked(provider, row[0], connection)
        told = connection.execute(queries["status_of"], parameters).fetchone()
        return str(told and told[0])

    return run_transaction(source, work, idempotent=True)


def list_events(
    connection: Session, *, status: str | None = None, count_max: int = 50
) -> list[dict[str, Any]]:
    """Return the messages of providers by column, the newest first."""
    cursor = connection.execute(
        load_queries("tradewright.payments.webhooks")["list_events"],
        {"status": status, "count_max": count_max},
    )
    names = [column.name for column in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor]


def _retry_locked(provider: Provider, reference: str, connection: Session) -> int:
    acting_as(connection, f"provider:{provider}")
    _lock_reference(connection, provider, reference)
    return _retry(connection, provider, reference)


def _retry(connection: Session, provider: Provider, reference: str) -> int:
    """Try what waits on a payment, oldest first, until a round changes nothing."""
    done = 0
    while True:
        rows = connection.execute(
            load_queries("tradewright.payments.webhooks")["waiting"],
            {"provider": provider, "reference": reference},
        ).fetchall()
        moved = 0
        for row_id, body in rows:
            outcome = _try(connection, provider, READERS[provider](body.encode()))
            _mark(connection, row_id, outcome)
            moved += outcome.kind is not OutcomeKind.WAITING
        done += moved
        if moved == 0:
            return done


def _try(connection: Session, provider: Provider, event: ProviderEvent) -> Outcome:
    """Apply an event in a savepoint; a refusal of the house becomes a conflict to look at."""
    try:
        with connection.transaction():
            return apply_event(connection, provider, event)
    except psycopg.Error as error:
        if is_retryable(error) or is_connection_lost(error):
            raise
        refusal = translate(error)
    except TradewrightError as error:
        cause = error.__cause__
        if isinstance(cause, psycopg.Error) and (is_retryable(cause) or is_connection_lost(cause)):
            raise cause from error
        refusal = error
    if isinstance(refusal, DatabaseError):
        raise refusal
    return Outcome(OutcomeKind.CONFLICTED, f"{refusal.code}: {refusal.what}")


def _lock_reference(connection: Session, provider: Provider, reference: str) -> None:
    connection.execute(
        load_queries("tradewright.payments.webhooks")["lock_reference"],
        {"name": f"{provider}/{reference}"},
    )


def _keep(connection: Session, message: Message, event: ProviderEvent) -> str | None:
    """Write the message; None when it is there already."""
    row = connection.execute(
        load_queries("tradewright.payments.webhooks")["keep"],
        {
            "provider": message.provider,
            "event_id": message.event_id,
            "event_type": event.event_type,
            "reference": event.reference,
            "body": _text(message.body),
        },
    ).fetchone()
    return None if row is None else str(row[0])


def _text(body: bytes) -> str:
    text = body.decode("utf-8")
    if "\x00" in text:
        raise malformed("It holds a byte of zero.")
    return text


def _replayed(connection: Session, message: Message) -> Outcome:
    row = connection.execute(
        load_queries("tradewright.payments.webhooks")["kept"],
        {"provider": message.provider, "event_id": message.event_id},
    ).fetchone()
    if row is None:
        raise AssertionError(message.event_id)
    body, payment_id = row
    if json.loads(body) != json.loads(message.body):
        raise MoneyError(
            ErrorCode.MONEY_IDEMPOTENCY_CONFLICT,
            f'message "{message.event_id}" came before with another body',
            why="One id names one message.",
            hint="Have the provider give each message an id of its own.",
        )
    return Outcome(OutcomeKind.IGNORED, "it came before", payment_id)


def _mark(connection: Session, row_id: str, outcome: Outcome) -> None:
    connection.execute(
        load_queries("tradewright.payments.webhooks")["mark"],
        {
            "id": row_id,
            "status": outcome.kind,
            "outcome": outcome.why or None,
            "payment_id": outcome.payment_id,
        },
    )
