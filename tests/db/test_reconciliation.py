"""Reconciliation and settlement on a real database, with the statements of the simulators."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import psycopg
import pytest

from tests.cast import value
from tests.conftest import LogIn, OpenSession
from tests.db.sessions import at_once
from tests.news import deposited, news, settled_user, start, tell, wallet
from tradewright import audit, ledger
from tradewright.core.clock import pause, utc_now
from tradewright.core.errors import ErrorCode, TradewrightError
from tradewright.core.ids import new_id_text
from tradewright.payments import Payment, PaymentKind, Provider, read_debts
from tradewright.payments.providers.booking import Booking, as_camt053, as_csv
from tradewright.payments.reconciliation.model import Bucket
from tradewright.payments.reconciliation.service import (
    import_statement,
    read_breaks,
    reconcile,
)
from tradewright.payments.reconciliation.settlement import settle
from tradewright.payments.reconciliation.taken import list_statements, withdraw_statement
from tradewright.postgres.connect import Session, connect
from tradewright.postgres.refusals import translate

TODAY = utc_now().date()


@pytest.fixture(autouse=True)
def laws_hold(engine: Session) -> Iterator[None]:
    """Hold every law after each of these tests, whatever it did."""
    yield
    audit.require_laws(audit.check_laws(engine))


def booking(payment: Payment, amount: str = "100", *, fee: str = "1.65") -> Booking:
    name = "ch" if payment.kind is PaymentKind.DEPOSIT else "po"
    return Booking(
        kind=payment.kind,
        reference=f"{name}_{payment.id}",
        currency="USD",
        amount=Decimal(amount),
        fee=Decimal(fee),
        booked_on=TODAY,
    )


def run(session: Session, *, since: date = TODAY - timedelta(days=1)) -> dict[str, int]:
    with session.transaction():
        counts = reconcile(session, Provider.CARDS, since=since)
    return {str(bucket): count for bucket, count in counts.items() if count}


def take(session: Session, *bookings: Booking) -> int | None:
    with session.transaction():
        return import_statement(session, Provider.CARDS, as_csv(list(bookings)))


def refused_settlement(session: Session, day: date) -> ErrorCode:
    with pytest.raises(TradewrightError) as caught, session.transaction():
        settle(session, Provider.CARDS, day)
    return caught.value.code


def withdraw(session: Session, statement_id: str) -> None:
    with session.transaction():
        withdraw_statement(session, statement_id, actor="user:anna", reason="not theirs")


def clearing(session: Session) -> object:
    """Return what the cards' clearing holder has received less what it has given."""
    return value(
        session,
        "SELECT coalesce(sum(CASE h.id WHEN t.credit_holder_id THEN amount ELSE -amount END), 0)"
        " FROM transfers AS t JOIN house_accounts AS h"
        " ON h.id IN (t.debit_holder_id, t.credit_holder_id) WHERE h.code = 'clearing_cards'",
    )


def test_differences_open_with_the_run_that_finds_them_and_close_with_the_one_that_does_not(
    engine: Session,
) -> None:
    user_id = settled_user(engine)
    matched, missing, wrong = (deposited(engine, user_id) for _ in range(3))
    take(engine, booking(matched), booking(wrong, "90"))
    assert run(engine) == {"matched": 1, "amount_mismatch": 1, "timing": 1}
    first = read_breaks(engine)
    assert {(each.bucket, each.reference) for each in first} == {
        (Bucket.AMOUNT_MISMATCH, f"ch_{wrong.id}"),
        (Bucket.TIMING, f"ch_{missing.id}"),
    }
    take(engine, booking(missing))
    assert run(engine) == {"matched": 2, "amount_mismatch": 1}
    [left] = read_breaks(engine, Provider.CARDS)
    assert left.details["our_amount"] == "100 USD"
    assert left.details["their_amount"] == "90 USD"
    assert left.opened_at == next(e for e in first if e.reference == left.reference).opened_at
    assert left.age > timedelta(0)
    assert value(engine, "SELECT count(*) FROM reconciliation_breaks") == 2


def test_the_same_statement_is_taken_once(engine: Session) -> None:
    payment = deposited(engine, settled_user(engine))
    assert (take(engine, booking(payment)), take(engine, booking(payment))) == (1, None)
    assert run(engine) == {"matched": 1}
    camt = as_camt053([booking(payment)], "another")
    with engine.transaction():
        import_statement(engine, Provider.CARDS, camt)
    assert run(engine) == {"duplicate": 1}


def test_a_statement_that_was_taken_for_another_provider_can_be_taken_for_its_own(
    engine: Session,
) -> None:
    content = as_csv([booking(deposited(engine, settled_user(engine)))])
    for provider, count in ((Provider.CHAIN, 1), (Provider.CARDS, 1), (Provider.CARDS, None)):
        with engine.transaction():
            assert import_statement(engine, provider, content) == count
    assert run(engine) == {"matched": 1}


def test_a_withdrawn_statement_counts_no_more_and_its_file_may_be_taken_again(
    engine: Session,
) -> None:
    right = booking(deposited(engine, settled_user(engine)))
    take(engine, right)
    content = as_csv([replace(right, reference="ch_of_another")])
    for again in (False, True):
        with engine.transaction():
            assert import_statement(engine, Provider.CARDS, content) == 1
        assert run(engine) == {"matched": 1, "external_only": 1}
        assert refused_settlement(engine, TODAY) == ErrorCode.SETTLEMENT_NOT_RECONCILED
        wrong = list_statements(engine, count_max=9)[0]
        assert (wrong.lines, wrong.settled, wrong.withdrawn_by) == (1, 0, None)
        for _ in range(1 + again):
            withdraw(engine, wrong.id)
        assert run(engine) == {"matched": 1}
        assert read_breaks(engine) == []
    kept = [(each.withdrawn_by, each.reason) for each in list_statements(engine, count_max=9)]
    assert kept == [("user:anna", "not theirs"), ("user:anna", "not theirs"), (None, None)]
    with engine.transaction():
        [settled] = settle(engine, Provider.CARDS, TODAY)
    assert settled.line_count == 1


def test_a_statement_that_was_settled_cannot_be_withdrawn(engine: Session) -> None:
    take(engine, booking(deposited(engine, settled_user(engine))))
    with engine.transaction():
        settle(engine, Provider.CARDS, TODAY)
    [kept] = list_statements(engine, Provider.CARDS, count_max=9)
    with pytest.raises(psycopg.Error) as refused:
        withdraw(engine, kept.id)
    assert translate(refused.value).code == ErrorCode.STATEMENT_SETTLED
    with pytest.raises(TradewrightError) as unknown:
        withdraw(engine, new_id_text())
    assert unknown.value.code == ErrorCode.STATEMENT_UNKNOWN
    assert list_statements(engine, Provider.CARDS, count_max=9) == [kept]
    assert list_statements(engine, Provider.CHAIN, count_max=9) == []


WITHDRAW = b"INSERT INTO provider_statement_withdrawals VALUES (%s, 'me', 'because')"


def settle_today(session: Session) -> int:
    with session.transaction():
        return len(settle(session, Provider.CARDS, TODAY))


def beside(engine: Session, second: Session, work: Callable[[], Any]) -> Future[Any]:
    """Begin some work of a session in a thread; return when it waits for a lock, or is done."""
    pool = ThreadPoolExecutor(1)
    begun = pool.submit(work)
    pool.shutdown(wait=False)
    waits = "SELECT wait_event_type = 'Lock' FROM pg_stat_activity WHERE pid = %s"
    while not begun.done() and not value(engine, waits, second.info.backend_pid):
        pause(0.01)
    return begun


def test_who_withdraws_by_plain_sql_while_a_statement_is_settled_is_refused(
    engine: Session, open_session: OpenSession, log_in: LogIn
) -> None:
    take(engine, booking(deposited(engine, settled_user(engine))))
    [kept] = list_statements(engine, Provider.CARDS, count_max=9)
    settler = open_session()
    with connect(log_in("app"), autocommit=True) as writer:
        with settler.transaction():
            assert settle_today(settler) == 1
            begun = beside(engine, writer, lambda: writer.execute(WITHDRAW, (kept.id,)))
        with pytest.raises(psycopg.Error) as refused:
            begun.result(timeout=30)
    assert translate(refused.value).code == ErrorCode.STATEMENT_SETTLED


def test_who_settles_while_a_statement_is_withdrawn_by_plain_sql_settles_nothing_of_it(
    engine: Session, open_session: OpenSession, log_in: LogIn
) -> None:
    take(engine, booking(deposited(engine, settled_user(engine))))
    [kept] = list_statements(engine, Provider.CARDS, count_max=9)
    settler = open_session()
    with connect(log_in("app"), autocommit=True) as writer:
        with writer.transaction():
            writer.execute(WITHDRAW, (kept.id,))
            begun = beside(engine, settler, lambda: settle_today(settler))
        assert begun.result(timeout=30) == 0
        with pytest.raises(psycopg.Error) as refused:
            writer.execute(
                "WITH day AS (INSERT INTO payment_settlements (provider, currency, settled_on,"
                " deposits, withdrawals, returns, refunds, disputes, fees, net, line_count)"
                " VALUES ('cards', 'USD', current_date, 100, 0, 0, 0, 0, 0, 100, 1) RETURNING id)"
                " INSERT INTO payment_settlement_lines SELECT %s::uuid, 1, id FROM day",
                (kept.id,),
            )
    assert translate(refused.value).code == ErrorCode.STATEMENT_SETTLED


def test_a_line_of_a_withdrawn_statement_that_is_settled_breaks_a_law(engine: Session) -> None:
    take(engine, booking(deposited(engine, settled_user(engine))))
    with engine.transaction():
        settle(engine, Provider.CARDS, TODAY)
    [kept] = list_statements(engine, Provider.CARDS, count_max=9)
    engine.execute("SET session_replication_role = replica")
    withdraw(engine, kept.id)
    engine.execute("SET session_replication_role = origin")
    broken = {name for name, law in audit.check_laws(engine).items() if law.broken}
    assert broken == {"settlement_is_in_the_ledger"}
    engine.execute("SET session_replication_role = replica")
    engine.execute("DELETE FROM provider_statement_withdrawals")
    engine.execute("SET session_replication_role = origin")


def test_money_that_only_the_provider_or_only_the_ledger_knows_is_found(engine: Session) -> None:
    user_id = settled_user(engine)
    pending, done = start(engine, user_id), deposited(engine, user_id)
    take(engine, booking(pending), booking(done))
    engine.execute("SET session_replication_role = replica")
    engine.execute("UPDATE house_accounts SET code = 'fees' WHERE code = 'clearing_cards'")
    assert run(engine) == {"external_only": 1, "ledger_mismatch": 1}
    engine.execute("UPDATE house_accounts SET code = 'clearing_cards' WHERE code = 'fees'")
    engine.execute("SET session_replication_role = origin")
    assert run(engine) == {"external_only": 1, "matched": 1}
    tell(engine, news(pending, "charge.processing"))
    assert run(engine) == {"status_mismatch": 1, "matched": 1}


def test_a_day_is_settled_once_and_empties_the_clearing_holder(engine: Session) -> None:
    user_id = settled_user(engine, "500")
    payout = start(engine, user_id, "70", kind=PaymentKind.WITHDRAWAL)
    deposit = deposited(engine, user_id)
    tell(engine, news(payout, "payout.paid", payment=f"po_{payout.id}"))
    assert clearing(engine) == -30
    take(engine, booking(deposit), booking(payout, "70", fee="0"))
    run(engine)
    with engine.transaction():
        [settled] = settle(engine, Provider.CARDS, TODAY)
        assert settle(engine, Provider.CARDS, TODAY) == [settled]
    figures = (settled.deposits, settled.withdrawals, settled.fees, settled.net)
    assert figures == (Decimal(100), Decimal(70), Decimal("1.65"), Decimal("28.35"))
    assert clearing(engine) == 0
    moved = engine.execute(
        "SELECT amount FROM transfers WHERE transaction_id = %s ORDER BY amount", (settled.id,)
    ).fetchall()
    assert moved == [(Decimal("1.65"),), (Decimal("28.35"),)]


def test_a_withdrawal_that_came_back_is_two_movements_and_settles_to_nothing(
    engine: Session,
) -> None:
    payout = start(engine, settled_user(engine, "500"), "70", kind=PaymentKind.WITHDRAWAL)
    for event_type in ("payout.paid", "payout.failed"):
        tell(engine, news(payout, event_type, payment=f"po_{payout.id}"))
    paid = booking(payout, "70", fee="0")
    take(engine, paid)
    assert run(engine) == {"matched": 1, "timing": 1}
    take(engine, replace(paid, kind="return"))
    assert run(engine) == {"matched": 2}
    with engine.transaction():
        [settled] = settle(engine, Provider.CARDS, TODAY)
    assert [settled.withdrawals, settled.returns, settled.net] == [70, 70, 0]
    assert clearing(engine) == 0


def test_a_withdrawal_that_came_back_is_booked_alike_whichever_is_told_first(
    engine: Session,
) -> None:
    for order in (("payout.paid", "payout.failed"), ("payout.failed", "payout.paid")):
        payout = start(engine, settled_user(engine, "500"), "70", kind=PaymentKind.WITHDRAWAL)
        for event_type in (*order, *order):
            tell(engine, news(payout, event_type, payment=f"po_{payout.id}"))
        paid = booking(payout, "70", fee="0")
        take(engine, paid, replace(paid, kind="return"))
    assert run(engine) == {"matched": 4}


def test_what_was_spent_before_a_payout_is_told_to_have_come_back_leaves_no_debt(
    engine: Session,
) -> None:
    user_id = settled_user(engine, "100")
    payout = start(engine, user_id, "70", kind=PaymentKind.WITHDRAWAL)
    tell(engine, news(payout, "payout.failed", payment=f"po_{payout.id}"))
    ledger.debit(engine, user_id, "USD", Decimal(80), transaction_id=new_id_text())
    tell(engine, news(payout, "payout.paid", payment=f"po_{payout.id}"))
    assert (wallet(engine, user_id), read_debts(engine, user_id)) == ((20, 0), {})
    paid = booking(payout, "70", fee="0")
    take(engine, paid, replace(paid, kind="return"))
    assert run(engine) == {"matched": 2}


@pytest.mark.parametrize(
    ("kind", "order"),
    [
        ("dispute", ("dispute.opened", "dispute.lost", "dispute.won")),
        ("dispute", ("dispute.won", "dispute.lost")),
        ("refund", ("refund.succeeded", "refund.failed")),
        ("refund", ("refund.pending", "refund.failed", "refund.succeeded")),
    ],
    ids=["won after lost", "won told first", "failed after success", "failed told first"],
)
def test_a_claim_that_was_taken_and_given_back_is_two_movements(
    engine: Session, kind: str, order: tuple[str, ...]
) -> None:
    payment = deposited(engine, settled_user(engine))
    for event_type in order:
        tell(engine, news(payment, event_type))
    came = booking(payment)
    gone = replace(came, kind=kind, reference=f"claim_{payment.id}", fee=Decimal(0))
    take(engine, came, gone, replace(gone, kind="return"))
    assert run(engine) == {"matched": 3}
    with engine.transaction():
        [settled] = settle(engine, Provider.CARDS, TODAY)
    assert (settled.returns, settled.net) == (Decimal(100), Decimal("98.35"))
    assert clearing(engine) == 0


def test_a_day_with_open_differences_is_not_settled(engine: Session) -> None:
    payment = deposited(engine, settled_user(engine))
    take(engine, booking(payment, "90"))
    run(engine)
    assert refused_settlement(engine, TODAY) == ErrorCode.SETTLEMENT_NOT_RECONCILED
    assert clearing(engine) == -100


def test_a_day_that_no_run_has_compared_is_compared_when_it_is_settled(engine: Session) -> None:
    payment = deposited(engine, settled_user(engine))
    stranger = replace(booking(payment), reference="ch_of_nobody")
    take(engine, stranger)
    assert refused_settlement(engine, TODAY) == ErrorCode.SETTLEMENT_NOT_RECONCILED
    assert value(engine, "SELECT count(*) FROM payment_settlements") == 0
    old = replace(booking(payment), booked_on=TODAY - timedelta(days=1))
    take(engine, old)
    with engine.transaction():
        [settled] = settle(engine, Provider.CARDS, old.booked_on)
    assert (settled.deposits, clearing(engine)) == (Decimal(100), Decimal(0))


def test_a_run_that_begins_later_keeps_older_differences_open(engine: Session) -> None:
    payment = deposited(engine, settled_user(engine))
    old = TODAY - timedelta(days=91)
    take(engine, replace(booking(payment), reference="ch_of_nobody", booked_on=old))
    assert run(engine, since=old) == {"external_only": 1, "timing": 1}
    assert run(engine, since=TODAY + timedelta(days=1)) == {"external_only": 1, "timing": 1}
    assert len(read_breaks(engine)) == 2
    assert refused_settlement(engine, old) == ErrorCode.SETTLEMENT_NOT_RECONCILED
    take(engine, booking(payment))
    assert run(engine, since=TODAY + timedelta(days=1)) == {"external_only": 1, "matched": 1}
    [left] = read_breaks(engine)
    assert left.bucket == Bucket.EXTERNAL_ONLY


def test_lines_that_come_after_their_day_was_settled_are_settled_too(engine: Session) -> None:
    user_id = settled_user(engine)
    early, late = deposited(engine, user_id), deposited(engine, user_id, "40")
    take(engine, booking(early))
    with engine.transaction():
        [first] = settle(engine, Provider.CARDS, TODAY)
    take(engine, booking(late, "40", fee="0.81"))
    for _ in range(2):
        with engine.transaction():
            both = settle(engine, Provider.CARDS, TODAY)
        assert both[0] == first
        assert [(each.net, each.line_count) for each in both[1:]] == [(Decimal("39.19"), 1)]
    assert clearing(engine) == 0
    camt = as_camt053([booking(late, "40", fee="0.81")], "again")
    with engine.transaction():
        import_statement(engine, Provider.CARDS, camt)
    assert refused_settlement(engine, TODAY) == ErrorCode.SETTLEMENT_NOT_RECONCILED
    assert clearing(engine) == 0


def test_two_who_settle_a_day_at_once_settle_each_line_once(
    engine: Session, open_session: OpenSession
) -> None:
    take(engine, booking(deposited(engine, settled_user(engine))))

    def work(session: Session) -> int:
        with session.transaction():
            return len(settle(session, Provider.CARDS, TODAY))

    assert at_once(open_session, [work] * 4) == [1, 1, 1, 1]
    assert clearing(engine) == 0


def test_a_line_cannot_be_settled_twice(engine: Session) -> None:
    take(engine, booking(deposited(engine, settled_user(engine))))
    with engine.transaction():
        settle(engine, Provider.CARDS, TODAY)
    with pytest.raises(psycopg.errors.UniqueViolation) as caught:
        engine.execute(
            "INSERT INTO payment_settlement_lines SELECT * FROM payment_settlement_lines"
        )
    assert caught.value.diag.constraint_name == "payment_settlement_lines_pkey"


def test_a_settlement_whose_net_does_not_add_up_cannot_be_written(engine: Session) -> None:
    with pytest.raises(psycopg.errors.CheckViolation) as caught:
        engine.execute(
            "INSERT INTO payment_settlements (provider, currency, settled_on, deposits,"
            " withdrawals, returns, refunds, disputes, fees, net, line_count)"
            " VALUES ('cards', 'USD', '2026-01-13', 100, 0, 0, 0, 0, 1, 100, 1)"
        )
    assert caught.value.diag.constraint_name == "payment_settlements_net_adds_up"


def test_direct_payments_have_no_statements(engine: Session) -> None:
    for work in (
        lambda: import_statement(engine, Provider.DIRECT, b""),
        lambda: reconcile(engine, Provider.DIRECT, since=TODAY),
        lambda: settle(engine, Provider.DIRECT, TODAY),
    ):
        with pytest.raises(TradewrightError) as caught:
            work()
        assert caught.value.code == ErrorCode.PAYMENT_PROVIDER_UNKNOWN
