"""Money of refused deposits: into suspense, through reconciliation, and back by four eyes."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from functools import partial
from itertools import permutations

import psycopg
import pytest

from tests.cast import open_user, value
from tests.conftest import OpenSession
from tests.db.sessions import at_once
from tests.db.test_payment_limits import coins, dropped, observe
from tests.news import deposited, news, settled_user, start, tell, wallet
from tradewright import audit, payments
from tradewright.core.clock import utc_now
from tradewright.core.errors import ErrorCode, TradewrightError
from tradewright.core.ids import new_id_text
from tradewright.core.money import Money
from tradewright.payments import Payment, PaymentStatus, Provider, decisions, send_backs
from tradewright.payments.approvals import put_aside
from tradewright.payments.providers.booking import Booking, as_csv
from tradewright.payments.providers.cards import CardSimulator
from tradewright.payments.providers.chain import ChainSimulator
from tradewright.payments.providers.sender import Manners, WebhookSender
from tradewright.payments.reconciliation.model import Bucket
from tradewright.payments.reconciliation.service import compare, import_statement, reconcile
from tradewright.payments.reconciliation.settlement import settle
from tradewright.payments.send_backs import (
    ReturnStatus,
    SendBack,
    SuspenseReturn,
    next_send_back_due,
    read_return,
)
from tradewright.payments.store import all_due
from tradewright.payments.submission import submit_due
from tradewright.payments.suspense import list_suspense
from tradewright.payments.webhooks.outcome import OutcomeKind
from tradewright.payments.webhooks.post import Endpoint
from tradewright.payments.webhooks.receiver import webhook_server
from tradewright.payments.webhooks.signature import new_secret
from tradewright.postgres.connect import Session
from tradewright.postgres.refusals import translate
from tradewright.postgres.retry import same_connection

TODAY = utc_now().date()


@pytest.fixture(autouse=True)
def laws_hold(engine: Session) -> Iterator[None]:
    """Hold every law after each of these tests, whatever it did."""
    yield
    audit.require_laws(audit.check_laws(engine))


def officer(session: Session) -> str:
    return open_user(session, role="payments_officer")


def refused_deposit(session: Session, officer_id: str) -> Payment:
    """Take a deposit whose money came although the house had canceled it, and refuse it."""
    payment = start(session, settled_user(session))
    with session.transaction():
        payments.cancel_deposit(session, payment.id)
    tell(session, news(payment, "charge.succeeded"))
    with session.transaction():
        return payments.refuse_payment(session, payment.id, officer_id, reason="stolen card")


def booked(payment: Payment, amount: str = "100") -> Booking:
    return Booking(
        kind="deposit",
        reference=f"ch_{payment.id}",
        currency="USD",
        amount=Decimal(amount),
        fee=Decimal(0),
        booked_on=TODAY,
    )


def take(session: Session, *bookings: Booking) -> dict[str, int]:
    with session.transaction():
        import_statement(session, Provider.CARDS, as_csv(list(bookings)))
        counts = reconcile(session, Provider.CARDS, since=TODAY - timedelta(days=1))
    return {str(bucket): count for bucket, count in counts.items() if count}


def held(session: Session, code: str) -> object:
    return value(
        session, "SELECT coalesce(sum(balance), 0) FROM house_positions WHERE code = %s", code
    )


def refusal(error: pytest.ExceptionInfo[TradewrightError | psycopg.Error]) -> ErrorCode:
    cause = error.value
    return translate(cause).code if isinstance(cause, psycopg.Error) else cause.code


def send(
    session: Session, item_id: str, officer_id: str, return_id: str = "", to: str | None = None
) -> SuspenseReturn:
    """Have money sent back, by an officer."""
    order = SendBack(
        return_id=return_id or new_id_text(),
        item_id=item_id,
        officer_id=officer_id,
        reason="not ours",
        destination=to,
    )
    with session.transaction():
        return send_backs.send_back(session, order)


def told_of(session: Session, order: SuspenseReturn, event_type: str) -> OutcomeKind:
    """Tell what became of the sending back by card."""
    payment = payments.find_payment(session, order.payment_id)
    told = {"claim": f"re_{order.id}", "claim_metadata_id": order.id, "amount": f"{order.amount}"}
    return tell(session, news(payment, event_type, **told)).kind


def state(session: Session, order: SuspenseReturn) -> ReturnStatus:
    found = read_return(session, order.id)
    assert found is not None
    return found.status


def test_the_day_of_a_refused_deposit_can_be_settled_and_so_can_the_day_it_goes_back(
    engine: Session,
) -> None:
    first, second = officer(engine), officer(engine)
    payment = refused_deposit(engine, first)
    came = booked(payment)
    assert take(engine, came) == {"matched": 1}
    with engine.transaction():
        [settled] = settle(engine, Provider.CARDS, TODAY)
    assert settled.net == 100
    assert (held(engine, "clearing_cards"), held(engine, "suspense")) == (0, 100)
    [item] = list_suspense(engine, count_max=9)
    assert (item.payment_id, item.reason, item.state) == (payment.id, "stolen card", "held")
    order = send(engine, item.id, second)
    assert send(engine, item.id, second, order.id) == order
    assert (order.status, held(engine, "suspense")) == (ReturnStatus.PENDING, 100)
    assert take(engine) == {"matched": 1}
    for event_type in ("refund.pending", "refund.succeeded", "refund.succeeded"):
        told_of(engine, order, event_type)
    [item] = list_suspense(engine, count_max=9)
    assert (item.returned_by, item.reference) == (second, f"re_{order.id}")
    assert (item.state, held(engine, "suspense")) == ("gone", 0)
    assert take(engine, replace(came, kind="refund", reference=f"re_{order.id}")) == {"matched": 2}
    with engine.transaction():
        assert settle(engine, Provider.CARDS, TODAY)[1].net == -100
    assert (held(engine, "clearing_cards"), held(engine, "bank")) == (0, 0)
    assert wallet(engine, payment.user_id) == (0, 0)


@pytest.mark.parametrize("order_of_news", list(permutations(("refund.succeeded", "refund.failed"))))
def test_what_did_not_reach_its_payer_is_in_suspense_again_and_may_be_sent_anew(
    engine: Session, order_of_news: tuple[str, str]
) -> None:
    """In whatever order that is told: it went out and came back, and the statement shows both."""
    first, second = officer(engine), officer(engine)
    payment = refused_deposit(engine, first)
    [item] = list_suspense(engine, count_max=9)
    order = send(engine, item.id, second)
    for event_type in order_of_news:
        assert told_of(engine, order, event_type) is OutcomeKind.APPLIED
    assert (state(engine, order), held(engine, "suspense")) == (ReturnStatus.FAILED, 100)
    name = f"re_{order.id}"
    came, went = booked(payment), replace(booked(payment), kind="refund", reference=name)
    assert take(engine, came, went, replace(went, kind="return")) == {"matched": 3}
    again = send(engine, item.id, second)
    told_of(engine, again, "refund.succeeded")
    assert held(engine, "suspense") == 0


def test_money_is_sent_back_once_by_one_provider_however_often_it_is_asked(engine: Session) -> None:
    """One is under way: a second is refused, and the provider is asked once for each."""
    first, second = officer(engine), officer(engine)
    refused_deposit(engine, first)
    [item] = list_suspense(engine, count_max=9)
    order = send(engine, item.id, second)
    with pytest.raises(TradewrightError) as caught:
        send(engine, item.id, second)
    assert refusal(caught) == ErrorCode.PAYMENT_SUSPENSE_RETURN_REFUSED
    with pytest.raises(TradewrightError) as caught:
        send(engine, item.id, officer(engine), order.id)
    assert refusal(caught) == ErrorCode.MONEY_IDEMPOTENCY_CONFLICT
    told_of(engine, order, "refund.succeeded")
    with pytest.raises(TradewrightError) as caught:
        send(engine, item.id, second)
    assert refusal(caught) == ErrorCode.PAYMENT_SUSPENSE_RETURN_REFUSED
    assert held(engine, "suspense") == 0


def test_two_officers_who_send_back_at_once_send_back_once(
    engine: Session, open_session: OpenSession
) -> None:
    refused_deposit(engine, officer(engine))
    [item] = list_suspense(engine, count_max=9)
    works = [partial(send, item_id=item.id, officer_id=officer(engine)) for _ in range(4)]
    answers = at_once(open_session, works)
    assert sum(isinstance(answer, SuspenseReturn) for answer in answers) == 1
    assert value(engine, "SELECT count(*) FROM suspense_returns") == 1


def test_who_put_money_into_suspense_and_who_owns_it_do_not_send_it_back(engine: Session) -> None:
    first = officer(engine)
    payment = refused_deposit(engine, first)
    [item] = list_suspense(engine, count_max=9)
    engine.execute(
        "INSERT INTO user_roles (user_id, role) VALUES (%s, 'payments_officer')",
        (payment.user_id,),
    )
    suspended = officer(engine)
    engine.execute("UPDATE users SET status = 'suspended' WHERE id = %s", (suspended,))
    for who, code in (
        (first, ErrorCode.PAYMENT_SUSPENSE_RETURN_REFUSED),
        (payment.user_id, ErrorCode.PAYMENT_APPROVAL_REFUSED),
        (open_user(engine), ErrorCode.USER_ROLE_MISSING),
        (suspended, ErrorCode.USER_NOT_ACTIVE),
        (new_id_text(), ErrorCode.USER_UNKNOWN),
    ):
        with pytest.raises(TradewrightError) as caught:
            send(engine, item.id, who)
        assert refusal(caught) == code
    assert held(engine, "suspense") == 100


def test_a_dispute_that_is_lost_takes_what_is_in_suspense_and_nobody_sends_it_back(
    engine: Session,
) -> None:
    """Stolen cards are refused, and then disputed: the payer was paid twice."""
    payment = refused_deposit(engine, officer(engine))
    [item] = list_suspense(engine, count_max=9)
    assert tell(engine, news(payment, "dispute.opened")).kind is OutcomeKind.IGNORED
    assert tell(engine, news(payment, "dispute.lost")).kind is OutcomeKind.APPLIED
    lost = replace(booked(payment), kind="dispute", reference=f"claim_{payment.id}")
    assert take(engine, booked(payment), lost) == {"matched": 2}
    assert (held(engine, "suspense"), held(engine, "clearing_cards")) == (0, 0)
    with pytest.raises(TradewrightError) as caught:
        send(engine, item.id, officer(engine))
    assert refusal(caught) == ErrorCode.PAYMENT_SUSPENSE_RETURN_REFUSED
    assert tell(engine, news(payment, "dispute.won")).kind is OutcomeKind.APPLIED
    assert held(engine, "suspense") == 100


def test_a_dispute_of_what_is_being_sent_back_waits_until_that_has_failed(engine: Session) -> None:
    payment = refused_deposit(engine, officer(engine))
    [item] = list_suspense(engine, count_max=9)
    order = send(engine, item.id, officer(engine))
    assert tell(engine, news(payment, "dispute.lost")).kind is OutcomeKind.WAITING
    other = news(payment, "dispute.lost", amount="40", claim="cl_2")
    assert tell(engine, other).kind is OutcomeKind.CONFLICTED
    assert (state(engine, order), held(engine, "suspense")) == (ReturnStatus.PENDING, 100)
    told_of(engine, order, "refund.failed")
    assert held(engine, "suspense") == 0
    assert list_suspense(engine, count_max=9)[0].how == "dispute"


def test_a_dispute_that_waited_for_the_decision_is_taken_with_it(engine: Session) -> None:
    payment = start(engine, settled_user(engine))
    with engine.transaction():
        payments.cancel_deposit(engine, payment.id)
    tell(engine, news(payment, "charge.succeeded"))
    assert tell(engine, news(payment, "dispute.lost")).kind is OutcomeKind.WAITING
    decisions.refuse(engine, payment.id, officer(engine), reason="stolen card")
    assert held(engine, "suspense") == 0


def test_simulated_providers_send_back_what_they_are_asked_for(
    engine: Session, open_session: OpenSession
) -> None:
    """Cards to the card; coins to the address that an officer was given."""
    first, second, secret = officer(engine), officer(engine), new_secret()
    secrets = {Provider.CARDS: [secret], Provider.CHAIN: [secret]}
    with webhook_server(same_connection(open_session()), secrets) as address:
        queues = {
            name: WebhookSender(
                Endpoint(f"{address}/v1/webhooks/{name}", [secret]), str(name), Manners()
            )
            for name in secrets
        }
        cards, chain = CardSimulator(queues[Provider.CARDS]), ChainSimulator(queues[Provider.CHAIN])
        payment = start(engine, settled_user(engine))
        submit_due(engine, cards)
        with engine.transaction():
            payments.cancel_deposit(engine, payment.id)
        queues[Provider.CARDS].deliver()
        coined = coins(engine, settled_user(engine), 100)
        for refused in (payment, coined):
            decisions.refuse(engine, refused.id, first, reason="no proof")
        by_card, by_chain = sorted(list_suspense(engine, count_max=9), key=lambda i: i.provider)
        for item, to in ((by_card, "btc1elsewhere"), (by_chain, None)):
            with pytest.raises(TradewrightError) as caught:
                send(engine, item.id, second, to=to)
            assert refusal(caught) == ErrorCode.PAYMENT_ROUTE_MISSING
        orders = [
            send(engine, by_card.id, second),
            send(engine, by_chain.id, second, to="btc1elsewhere"),
        ]
        assert [submit_due(engine, each) for each in (cards, chain, cards, chain)] == [1, 1, 0, 0]
        chain.mine("btc", 3)
        for queue in queues.values():
            queue.deliver()
    assert [state(engine, order) for order in orders] == [ReturnStatus.SUCCEEDED] * 2
    assert held(engine, "suspense") == 0
    for provider, content, kinds in (
        (Provider.CARDS, cards.statement(TODAY), {"deposit", "refund"}),
        (Provider.CHAIN, chain.statement(TODAY), {"withdrawal"}),
    ):
        with engine.transaction():
            import_statement(engine, provider, content)
        found = compare(engine, provider, since=TODAY)
        assert {m.key.kind for m in found if m.bucket is Bucket.MATCHED} == kinds


def test_the_database_keeps_a_return_to_its_money(engine: Session) -> None:
    refused_deposit(engine, officer(engine))
    [item] = list_suspense(engine, count_max=9)
    order = send(engine, item.id, officer(engine))
    moved = "UPDATE suspense_returns SET status = 'succeeded', completed_at = now()"
    with pytest.raises(psycopg.errors.CheckViolation):
        engine.execute(moved.encode())
    with pytest.raises(psycopg.Error) as caught:
        engine.execute(f"{moved}, transfer_id = (SELECT transfer_id FROM suspense_items)".encode())
    assert refusal(caught) == ErrorCode.PAYMENT_SUSPENSE_RETURN_REFUSED
    told_of(engine, order, "refund.failed")
    with pytest.raises(psycopg.Error) as caught:
        engine.execute(b"UPDATE suspense_returns SET status = 'pending', completed_at = NULL")
    assert refusal(caught) == ErrorCode.PAYMENT_STATE_REFUSED


def test_another_amount_than_was_asked_for_goes_into_suspense_as_it_came(engine: Session) -> None:
    officer_id = officer(engine)
    payment = start(engine, settled_user(engine))
    tell(engine, news(payment, "charge.succeeded", amount="99"))
    with engine.transaction():
        payments.refuse_payment(engine, payment.id, officer_id, reason="another amount")
    assert take(engine, booked(payment, "99")) == {"amount_mismatch": 1}
    money = Money(Decimal(99), "USD")
    with engine.transaction():
        put_aside(engine, payment.id, officer_id, money, reason="another amount")
    assert take(engine) == {"matched": 1}
    with engine.transaction():
        [settled] = settle(engine, Provider.CARDS, TODAY)
    assert settled.net == 99
    assert held(engine, "clearing_cards") == 0
    told = tell(engine, news(payment, "charge.succeeded"))
    assert (told.kind, wallet(engine, payment.user_id)) == (OutcomeKind.IGNORED, (0, 0))


def test_only_what_came_for_a_refused_deposit_goes_into_suspense_and_once(engine: Session) -> None:
    officer_id, user_id = officer(engine), settled_user(engine)
    refused = refused_deposit(engine, officer_id)
    for payment in (deposited(engine, user_id), start(engine, user_id), refused):
        money = Money(Decimal(100), "USD")
        with pytest.raises(TradewrightError) as caught, engine.transaction():
            put_aside(engine, payment.id, officer_id, money, reason="x")
        assert refusal(caught) == ErrorCode.PAYMENT_SUSPENSE_REFUSED
    assert held(engine, "suspense") == 100


def test_a_deposit_whose_money_is_in_suspense_is_never_credited(engine: Session) -> None:
    payment = refused_deposit(engine, officer(engine))
    with pytest.raises(psycopg.Error) as caught:
        engine.execute(
            "UPDATE payment_transactions SET status = 'succeeded', approved_by = %s WHERE id = %s",
            (officer(engine), payment.id),
        )
    assert refusal(caught) == ErrorCode.PAYMENT_SUSPENSE_REFUSED


def test_coins_that_a_reorganisation_takes_leave_suspense(engine: Session) -> None:
    officer_id = officer(engine)
    payment = coins(engine, settled_user(engine), 100)
    with engine.transaction():
        payments.refuse_payment(engine, payment.id, officer_id, reason="no rate")
    assert held(engine, "suspense") == Decimal("0.000001")
    tell(engine, dropped(engine, payment), provider="chain")
    assert payments.find_payment(engine, payment.id).status is PaymentStatus.REVERSED
    assert held(engine, "suspense") == 0
    [gone] = list_suspense(engine, count_max=9)
    assert (gone.state, gone.how, gone.returned_by) == ("gone", "reorganisation", None)


@pytest.mark.parametrize("is_handed_over", [False, True])
def test_coins_that_are_gone_are_sent_back_only_if_the_provider_was_asked_before(
    engine: Session, is_handed_over: bool
) -> None:
    payment = coins(engine, settled_user(engine), 100)
    with engine.transaction():
        payments.refuse_payment(engine, payment.id, officer(engine), reason="no rate")
    [item] = list_suspense(engine, count_max=9)
    order = send(engine, item.id, officer(engine), to="btc1elsewhere")
    if is_handed_over:
        engine.execute("UPDATE suspense_returns SET submitted_at = now()")
    tell(engine, dropped(engine, payment), provider="chain")
    due = next_send_back_due(engine, Provider.CHAIN, all_due(engine))
    assert due is None
    expected = ReturnStatus.PENDING if is_handed_over else ReturnStatus.FAILED
    left = Decimal("0.000001") if is_handed_over else 0
    assert (state(engine, order), held(engine, "suspense")) == (expected, left)


@pytest.mark.parametrize("decision", ["approved", "refused", "none yet"])
def test_final_coins_that_a_reorganisation_takes_are_two_movements_and_settle_to_nothing(
    engine: Session, decision: str
) -> None:
    """Case 45 in the statements: as one movement, their day was never settled."""
    officer_id = officer(engine)
    payment = coins(engine, settled_user(engine), 100)
    if decision == "approved":
        observe(engine, "BTC", "100")
        with engine.transaction():
            payments.approve_payment(engine, payment.id, officer_id)
    elif decision == "refused":
        with engine.transaction():
            payments.refuse_payment(engine, payment.id, officer_id, reason="no rate")
    tell(engine, dropped(engine, payment), provider="chain")
    name = payment.reference or ""
    came = replace(booked(payment), currency="BTC", amount=payment.amount, reference=name)
    content = as_csv([came, replace(came, kind="refund")])
    with engine.transaction():
        import_statement(engine, Provider.CHAIN, content)
        counts = reconcile(engine, Provider.CHAIN, since=TODAY - timedelta(days=1))
        [settled] = settle(engine, Provider.CHAIN, TODAY)
    assert {bucket: count for bucket, count in counts.items() if count} == {"matched": 2}
    assert settled.net == 0
    assert (held(engine, "clearing_chain"), held(engine, "suspense")) == (0, 0)


def test_money_that_is_not_there_is_told(engine: Session) -> None:
    with pytest.raises(TradewrightError) as caught:
        send(engine, new_id_text(), officer(engine))
    assert refusal(caught) == ErrorCode.PAYMENT_SUSPENSE_UNKNOWN


def test_money_does_not_enter_suspense_without_its_transfer(engine: Session) -> None:
    payment = start(engine, settled_user(engine))
    with engine.transaction():
        payments.cancel_deposit(engine, payment.id)
    with pytest.raises(psycopg.Error) as caught:
        engine.execute(
            "INSERT INTO suspense_items (id, payment_id, currency, amount, reason, opened_by,"
            " transfer_id) VALUES (uuidv7(), %s, 'USD', 100, 'x', %s, uuidv7())",
            (payment.id, officer(engine)),
        )
    assert refusal(caught) == ErrorCode.PAYMENT_SUSPENSE_REFUSED
