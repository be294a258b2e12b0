"""Executions that fit no order of ours: set aside, listed, and decided about by people.

`answers` sets aside what fits no order that is there; here is what names no order at all, and the
decision. What is decided moves no money of clients: the house has dealt with the provider, and
keeps it, gets it taken back, or has traded out of it.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from tradewright.core.errors import ErrorCode, InputError, StateError
from tradewright.liquidity.model import ProviderAnswer, ProviderRequest
from tradewright.postgres.connect import Session
from tradewright.postgres.queries import load_queries
from tradewright.trading.answers import Unsolicited
from tradewright.trading.house_commands import HOUSE
from tradewright.trading.house_store import is_hedge, tell_house_changed
from tradewright.trading.model import BookAnswers

_QUERIES = "tradewright.trading"
_ID_LENGTH = 36


class Resolution(StrEnum):
    """What is decided: the house holds it, the provider took it back, or it has been closed."""

    KEPT = "kept"
    BUSTED = "busted"
    TRADED_OUT = "traded_out"


@dataclass(frozen=True, slots=True)
class UnsolicitedFill:
    """An execution that was set aside, and what was decided about it."""

    id: str
    provider: str
    execution_id: str
    request_id: str | None
    symbol: str
    side: str
    quantity: Decimal
    price: Decimal
    why: str
    executed_at: datetime
    age: timedelta
    resolution: str | None
    actor: str | None
    reason: str | None


def late_answers(
    connection: Session, provider_id: str, request: ProviderRequest, answer: ProviderAnswer
) -> list[BookAnswers]:
    """Return how an execution that nobody waits for is booked; one of no order is set aside here.

    The caller's transaction keeps what is set aside.
    """
    order_id = _order_id(request.request_id)
    account_id = None if order_id is None else _asked_for(connection, order_id)
    if account_id is not None and order_id is not None:
        told = ((request, answer),)
        return [BookAnswers(account_id=account_id, order_id=order_id, answers=told, is_final=False)]
    connection.execute(
        load_queries(_QUERIES)["write_unsolicited_fills"],
        {
            "provider_ids": [provider_id],
            "execution_ids": [answer.execution_id],
            "request_ids": [request.request_id],
            "symbols": [request.symbol],
            "sides": [request.side],
            "quantities": [answer.quantity],
            "prices": [answer.price],
            "reasons": [Unsolicited.ORDER_UNKNOWN],
            "executed": [answer.decided_at],
        },
    )
    tell_house_changed(connection)
    return []


def _asked_for(connection: Session, order_id: str) -> str | None:
    """Return whose order an id is, HOUSE when it is a hedge's, or None when it is nobody's."""
    query = load_queries(_QUERIES)["account_of_order"]
    row = connection.execute(query, {"order_id": order_id}).fetchone()
    if row is not None:
        return str(row[0])
    return HOUSE if is_hedge(connection, order_id) else None


def list_unsolicited(
    connection: Session, *, count_max: int, with_resolved: bool = False
) -> list[UnsolicitedFill]:
    """Return executions that were set aside, the oldest first; those still open unless asked."""
    rows = connection.execute(
        load_queries(_QUERIES)["unsolicited_fills"],
        {"count_max": count_max, "with_resolved": with_resolved},
    )
    return [UnsolicitedFill(*row) for row in rows]


def resolve_unsolicited(
    connection: Session, fill_id: str, resolution: Resolution, *, actor: str, reason: str
) -> UnsolicitedFill:
    """Decide about an execution that was set aside, once.

    Raises:
        InputError: FILL_UNKNOWN, FILL_RESOLUTION_EMPTY.
        StateError: FILL_RESOLVED.

    """
    if not (actor.strip() and reason.strip()):
        raise _says_too_little(fill_id)
    parameters = {"fill_id": fill_id, "resolution": resolution, "actor": actor, "reason": reason}
    queries = load_queries(_QUERIES)
    if connection.execute(queries["unsolicited_fill"], parameters).fetchone() is None:
        raise _unknown(fill_id)
    if connection.execute(queries["resolve_unsolicited_fill"], parameters).fetchone() is None:
        raise _resolved(fill_id)
    tell_house_changed(connection)
    row = connection.execute(queries["unsolicited_fill"], parameters).fetchone()
    if row is None:
        raise AssertionError("a fill that was found stays")
    return UnsolicitedFill(*row)


def _says_too_little(fill_id: str) -> InputError:
    return InputError(
        ErrorCode.FILL_RESOLUTION_EMPTY,
        f'the decision about unsolicited fill "{fill_id}" lacks who or why',
        why="It is kept for those who ask later who decided, and for what reason.",
        hint="Give both an actor and a reason.",
    )


def _unknown(fill_id: str) -> InputError:
    return InputError(
        ErrorCode.FILL_UNKNOWN,
        f'unsolicited fill "{fill_id}" does not exist',
        why="Executions that fit no order are found by the id under which they were set aside.",
        hint="List them with tradewright providers unsolicited.",
    )


def _resolved(fill_id: str) -> StateError:
    return StateError(
        ErrorCode.FILL_RESOLVED,
        f'unsolicited fill "{fill_id}" has been decided about before',
        why="A decision is made once, and is never changed.",
        hint="Read it with tradewright providers unsolicited --all.",
    )


def _order_id(request_id: str) -> str | None:
    """Return the order that a request's id names, or None when it is no id of ours."""
    text = request_id[:_ID_LENGTH]
    try:
        return text if str(UUID(text)) == text else None
    except ValueError:
        return None
