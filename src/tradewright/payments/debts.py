"""What clients owe the house: money that was taken back after it had left the wallet.

A wallet is never negative. What it lacks is noted in the table `receivables` and then lent by the
house account of that name, which the ledger lets lend and get back only what is noted; until it is
paid back nothing is withdrawn. A payment that comes in pays it at once; money that comes otherwise,
such as from a trading account, when the job `collect_debts` runs. But for that, the caller has
locked the wallet.
"""

from decimal import Decimal
from functools import partial

from tradewright import ledger
from tradewright.audit import acting_as
from tradewright.core.errors import ErrorCode, MoneyError, StateError
from tradewright.core.ids import new_id_text
from tradewright.core.money import plain
from tradewright.ledger import HouseCode
from tradewright.payments import store
from tradewright.payments.model import Payment
from tradewright.postgres.connect import Session
from tradewright.postgres.queries import load_queries
from tradewright.postgres.retry import SessionSource, run_transaction


def lend_shortfall(connection: Session, payment: Payment, needed: Decimal) -> None:
    """Lend the payment's wallet what it lacks of `needed`, and note that it is owed."""
    lacking = needed - _available(connection, payment.user_id, payment.currency)
    if lacking <= 0:
        return
    receivable_id = new_id_text()
    store.write_one(
        connection,
        "insert_receivable",
        id=receivable_id,
        user_id=payment.user_id,
        currency=payment.currency,
        payment_id=payment.id,
        amount=lacking,
    )
    ledger.credit(
        connection,
        payment.user_id,
        payment.currency,
        lacking,
        transaction_id=receivable_id,
        house=HouseCode.RECEIVABLES,
    )


def collect_debts(connection: Session, user_id: str, currency: str) -> int:
    """Pay what the user owes in a currency from what is available, the oldest debt first.

    Return of how many debts something was paid. From a frozen wallet nothing is paid until it was
    thawed.
    """
    try:
        with connection.transaction():
            return _collect(connection, user_id, currency)
    except MoneyError as refusal:
        if refusal.code is not ErrorCode.MONEY_WALLET_FROZEN:
            raise
    return 0


def collect_open_debts(source: SessionSource) -> int:
    """Pay debts from wallets that hold something by now; return of how many something was paid.

    Each wallet has a transaction of its own. What is owed is read under the wallet's lock, so a run
    that is cut off, or beside another, pays only what is left.
    """

    def owing(connection: Session) -> list[tuple[str, str]]:
        rows = connection.execute(load_queries("tradewright.payments")["collectable_debts"])
        return [(row[0], row[1]) for row in rows]

    def collect(connection: Session, *, user_id: str, currency: str) -> int:
        acting_as(connection, "job:collect_debts")
        store.lock_wallet(connection, user_id, currency, is_opened=False)
        return collect_debts(connection, user_id, currency)

    return sum(
        run_transaction(
            source, partial(collect, user_id=user_id, currency=currency), idempotent=True
        )
        for user_id, currency in run_transaction(source, owing, idempotent=True)
    )


def _collect(connection: Session, user_id: str, currency: str) -> int:
    available = _available(connection, user_id, currency)
    owed = connection.execute(
        load_queries("tradewright.payments")["open_receivables"],
        {"user_id": user_id, "currency": currency},
    ).fetchall()
    paid = 0  # Each debit pays the oldest debt, which the ledger notes.
    for (remaining,) in owed:
        part = min(available, remaining)
        if part <= 0:
            break
        ledger.debit(
            connection,
            user_id,
            currency,
            part,
            transaction_id=new_id_text(),
            house=HouseCode.RECEIVABLES,
        )
        available -= part
        paid += 1
    return paid


def read_debts(connection: Session, user_id: str) -> dict[str, Decimal]:
    """Return what a user owes, by currency."""
    rows = connection.execute(load_queries("tradewright.payments")["owed"], {"user_id": user_id})
    return {row[0]: row[1] for row in rows}


def require_no_debts(connection: Session, user_id: str) -> None:
    """Refuse to pay out to a user who owes anything, in whatever currency.

    Raises:
        StateError: PAYMENT_DEBT_OPEN.

    """
    debts = read_debts(connection, user_id)
    if debts:
        told = ", ".join(f"{plain(amount)} {currency}" for currency, amount in debts.items())
        raise StateError(
            ErrorCode.PAYMENT_DEBT_OPEN,
            f'user "{user_id}" owes {told} and cannot withdraw',
            why="Money that was taken back by a provider had already left the wallet.",
            hint="Pay in what is owed first.",
            facts={"user_id": user_id},
        )


def _available(connection: Session, user_id: str, currency: str) -> Decimal:
    row = store.one(connection, "available", user_id=user_id, currency=currency)
    return Decimal(0) if row is None else Decimal(row[0])
