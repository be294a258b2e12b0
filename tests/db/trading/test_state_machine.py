"""The order state machine is the same in Python and in the database, step by step."""

import itertools

import psycopg
import pytest

from tests.cast import list_market, open_account, open_user
from tradewright.core.errors import ErrorCode
from tradewright.core.ids import new_id_text
from tradewright.postgres.connect import Session
from tradewright.postgres.refusals import translate
from tradewright.trading.lifecycle import (
    ALLOWED_TRANSITIONS,
    LEADS_TO,
    PRECEDENCE,
    outranks,
    step_is_allowed,
)
from tradewright.trading.model import LIVE_STATUSES, EventType, OrderStatus

STEPS = list(itertools.product(EventType, [None, *OrderStatus], OrderStatus))


def takes(
    session: Session, event: EventType, came_from: OrderStatus | None, leads_to: OrderStatus
) -> bool:
    """Try one event in the database; say whether the CHECK on its step lets it be."""
    is_trade = event is EventType.TRADE
    try:
        with session.transaction(force_rollback=True):
            session.execute(
                "INSERT INTO order_events (order_id, seq, event_type, from_status, to_status,"
                " quantity, price, actor) VALUES (%s, %s, %s, %s, %s, %s, %s, 'test')",
                (
                    new_id_text(),
                    1 if came_from is None else 2,
                    event,
                    came_from,
                    leads_to,
                    1 if is_trade else None,
                    1 if is_trade else None,
                ),
            )
    except psycopg.errors.CheckViolation as error:
        return error.diag.constraint_name != "order_events_step_allowed"
    except psycopg.errors.ForeignKeyViolation as error:
        # Past the CHECK: there is no order of this first event.
        return error.diag.constraint_name == "order_events_order_exists"
    except psycopg.errors.Error as error:
        # Past the CHECK: there is no event before this one.
        return translate(error).code is ErrorCode.ORDER_WITHOUT_EVENTS
    return True


def test_the_check_of_the_database_allows_what_python_allows_and_nothing_else(
    engine: Session,
) -> None:
    differing = [step for step in STEPS if takes(engine, *step) != step_is_allowed(*step)]
    assert differing == []


def test_every_event_and_every_step_of_the_table_is_of_use() -> None:
    assert set(LEADS_TO) == set(EventType)
    used = {
        (came_from, leads_to)
        for _, came_from, leads_to in STEPS
        if any(step_is_allowed(event, came_from, leads_to) for event in EventType)
    }
    assert used == {(a, b) for a, allowed in ALLOWED_TRANSITIONS.items() for b in allowed}


def test_the_precedence_is_that_of_fix() -> None:
    ranked = sorted(OrderStatus, key=PRECEDENCE.__getitem__, reverse=True)
    assert ranked[:6] == [
        OrderStatus.PENDING_CANCEL,
        OrderStatus.PENDING_REPLACE,
        OrderStatus.FILLED,
        OrderStatus.EXPIRED,
        OrderStatus.CANCELED,
        OrderStatus.PARTIALLY_FILLED,
    ]
    assert outranks(OrderStatus.PENDING_CANCEL, OrderStatus.PENDING_REPLACE)
    assert not outranks(OrderStatus.NEW, OrderStatus.REJECTED)


def test_the_words_of_the_database_are_those_of_python(engine: Session) -> None:
    for constraint, words in (
        ("order_status_known", OrderStatus),
        ("order_event_type_known", EventType),
    ):
        row = engine.execute(
            "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = %s", (constraint,)
        ).fetchone()
        assert row is not None
        assert set(row[0].split("'")[1::2]) == {str(word) for word in words}


@pytest.mark.parametrize("ended", sorted(set(OrderStatus) - LIVE_STATUSES))
def test_an_order_that_has_ended_goes_nowhere(ended: OrderStatus) -> None:
    assert ALLOWED_TRANSITIONS[ended] == frozenset()


@pytest.mark.parametrize("status", sorted(OrderStatus))
def test_an_order_may_not_stand_where_its_events_do_not_lead(
    engine: Session, status: OrderStatus
) -> None:
    list_market(engine)
    account_id = open_account(engine, open_user(engine))
    with pytest.raises(psycopg.Error) as raised, engine.transaction():
        engine.execute(
            "INSERT INTO orders (id, account_id, client_order_id, symbol, side, order_type,"
            " time_in_force, origin, book, quantity, filled_quantity, remaining_quantity,"
            " average_price, status, is_routed, refused_by, refusal_code, version)"
            " VALUES (%(id)s, %(account)s, 'mine', 'EURUSD', 'buy', 'market', 'ioc', 'client',"
            " 'B', 100, %(filled)s, %(left)s, %(price)s, %(status)s, false, 'house', 'CODE', 1)",
            {
                "id": new_id_text(),
                "account": account_id,
                "status": status,
                "filled": {"filled": 100, "partially_filled": 40}.get(status, 0),
                "left": (60 if status == "partially_filled" else 100) if status.is_live else 0,
                "price": 1 if status in {"filled", "partially_filled"} else None,
            },
        )
    assert translate(raised.value).code is ErrorCode.ORDER_WITHOUT_EVENTS
