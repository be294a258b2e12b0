"""Order records: each event of each order, with everything that Annex IV asks for.

Delegated Regulation (EU) 2017/565, articles 74 and 75 with Annex IV, sections 1 and 2; the codes
are those of RTS 24 (2017/580). An order is shown as it was at each event: a change keeps in its
event what was before, so what held at an event is what the next change found, and what the order is
now where none came. What is not recorded is empty, never concluded from something else.
"""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from tradewright.compliance import rts24, store
from tradewright.compliance.model import Findings, Option, Report, Row, Scope
from tradewright.compliance.order_fields import FIELDS
from tradewright.postgres.connect import Session
from tradewright.postgres.queries import load_queries

_ENDED = ("filled", "canceled", "rejected", "expired")
_HOUSE = "house"
_NOTHING = Decimal(0)
_EXCLUDED = "what was refused as meaningless before it was an order, which is not kept"


class _Told(NamedTuple):
    """A row of the query `order_records`."""

    order_id: str
    seq: int
    event_type: str
    occurred_at: Any
    status: str
    actor: str
    details: Mapping[str, Any]
    refusal_code: str | None
    received_at: Any
    user_id: str
    account_id: str
    origin: str
    side: str
    symbol: str
    book: str
    order_type: str
    time_in_force: str
    expires_at: Any
    is_post_only: bool
    limit_price: Any
    stop_price: Any
    quote_currency: str
    base_currency: str
    initial_quantity: Any
    quantity: Any
    executed_quantity: Any
    price: Any
    filled: Any
    instructions: Mapping[str, Any]
    engine_id: str | None
    fill_id: str | None
    is_maker: bool | None
    provider: str | None
    execution_id: str | None
    messages: list[Mapping[str, Any]] | None
    corrections: list[Mapping[str, Any]] | None


def _read(session: Session, scope: Scope) -> Findings:
    asked = {
        "begin": scope.begin,
        "end": scope.end,
        "account_id": scope.account_id,
        "order_id": scope.order_id,
        "symbol": scope.symbol,
    }
    queries = load_queries("tradewright.compliance.reports")
    rows, orders = store.count(session, queries["order_record_counts"], asked)
    lacking = {field.column: field.source for field in FIELDS if not field.is_recorded}
    facts = {"rows": rows, "orders": orders, "excluded": _EXCLUDED, "not_recorded": lacking}
    return Findings(facts, _records(store.stream(session, queries["order_records"], asked)))


def _records(rows: Iterator[Row]) -> Iterator[Row]:
    for row in rows:
        told = _Told(*row)
        values = {**_of_event(told), **_of_order(told), **_of_terms(told), **_of_dealing(told)}
        yield tuple(values.get(field.column) for field in FIELDS)


def _of_event(told: _Told) -> Mapping[str, object]:
    return {
        "order_id": told.order_id,
        "sequence": told.seq,
        "event": rts24.event_code(told.event_type, told.status, told.actor, told.details) or None,
        "event_at": told.occurred_at,
        "event_type": told.event_type,
        "status": told.status,
        "actor": told.actor,
        "reason": _reason(told),
    }


def _reason(told: _Told) -> object:
    """Return the code of what was refused at an event, be it only a replacement, or of the end."""
    refused = told.details.get("refused", told.details)
    return refused.get("code", told.refusal_code)


def _of_order(told: _Told) -> Mapping[str, object]:
    return {
        "received_at": told.received_at,
        "client_id": told.user_id,
        "account_id": told.account_id,
        "origin": told.origin,
        "side": rts24.SIDES[told.side],
        "instrument": told.symbol,
        "price_notation": "MONE",
        "price_multiplier": 1,
        "currency_1": told.quote_currency,
        "currency_2": told.base_currency,
        "initial_quantity": told.initial_quantity,
        "quantity_notation": "UNIT",
        "execution_algorithm_id": told.engine_id,
    }


def _of_terms(told: _Told) -> Mapping[str, object]:
    is_changed = "quantity" in told.details and "was" in told.details
    return {
        "validity": rts24.VALIDITY[told.time_in_force],
        "valid_until": told.expires_at,
        "order_type": told.order_type,
        "order_type_class": rts24.TYPE_CLASSES.get(told.order_type),
        "passive_only": told.is_post_only,
        "limit_price": told.limit_price,
        "stop_price": told.stop_price,
        "instructions": told.instructions,
        "quantity": told.quantity,
        "modified_quantity": told.quantity if is_changed else None,
        "filled_quantity": told.filled,
        "remaining_quantity": _NOTHING if told.status in _ENDED else told.quantity - told.filled,
    }


def _of_dealing(told: _Told) -> Mapping[str, object]:
    is_dealt, is_providers = told.fill_id is not None, told.execution_id is not None
    parties = (told.user_id, _HOUSE) if told.side == "buy" else (_HOUSE, told.user_id)
    values: dict[str, object] = {
        "capacity": rts24.capacity(told.book, is_dealt=is_dealt, is_providers=is_providers) or None,
        "provider_messages": told.messages,
        "provider_messages_at": _times(told.messages),
    }
    if is_dealt:
        values |= {
            "transaction_reference": told.fill_id,
            "transaction_price": told.price,
            "executed_quantity": told.executed_quantity,
            "transmitted_to": told.provider if is_providers else None,
            "provider_execution_id": told.execution_id,
            "buyer": parties[0],
            "seller": parties[1],
            "liquidity": "PASV" if told.is_maker else "AGRE",
            "corrections": told.corrections,
        }
    return values


def _times(messages: list[Mapping[str, Any]] | None) -> list[tuple[str, str]] | None:
    if messages is None:
        return None
    return [(one["requested_at"], one["decided_at"]) for one in messages]


REPORT = Report(
    name="order-records",
    purpose="each event of each order, as a supervisor asks for it",
    law="Delegated Regulation (EU) 2017/565, articles 74 and 75, Annex IV; codes of 2017/580",
    options=(Option.BEGIN, Option.END, Option.ACCOUNT, Option.ORDER, Option.SYMBOL),
    columns=tuple(field.column for field in FIELDS),
    shown=(
        *("event_at", "event", "order_id", "sequence", "side", "instrument", "validity"),
        *("quantity", "executed_quantity", "transaction_price", "remaining_quantity", "capacity"),
    ),
    read=_read,
)
