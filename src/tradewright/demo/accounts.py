"""The money side of the day: who the traders are in the database, what they pay in and take out.

Each payment and transfer carries an id made of the day, the trader and the occasion, so asking
again moves nothing twice.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal
from uuid import NAMESPACE_OID, uuid5

from tradewright.core.clock import utc_now
from tradewright.core.errors import ErrorCode, InputError, TradewrightError
from tradewright.core.money import minor_unit
from tradewright.demo.cards import CardDesk, provider_of
from tradewright.demo.listing import rates_to_dollars
from tradewright.demo.model import Measured
from tradewright.demo.traders import Trader
from tradewright.payments import (
    PaymentKind,
    PaymentRequest,
    PaymentStatus,
    Provider,
    approve_payment,
    complete_withdrawal,
    record_rates,
    require_not_denied,
    start_payment,
)
from tradewright.payments.limits import LIMIT_CURRENCY
from tradewright.postgres.connect import Session
from tradewright.postgres.queries import load_queries
from tradewright.risk.model import ClientClass
from tradewright.trading.engine import Engine
from tradewright.trading.model import Direction, MoveMoney
from tradewright.trading.registry import AccountSettings, grant_role, open_account, open_user
from tradewright.wiring import House

MIDDAY_DEPOSIT = Decimal(1_000)
PAYOUT_SHARE = Decimal("0.2")


@dataclass(frozen=True, slots=True)
class Member:
    """A trader with its user, its account and the officer who approves its withdrawals."""

    trader: Trader
    user_id: str
    account_id: str
    currency: str
    tag: str
    officer_id: str
    house: House

    def key(self, occasion: str) -> str:
        """Return the id of this trader's payment or transfer on an occasion of the day."""
        return str(uuid5(NAMESPACE_OID, f"{self.tag}/{self.trader.number}/{occasion}"))


def open_members(house: House, traders: Sequence[Trader], tag: str, currency: str) -> list[Member]:
    """Open the traders' users and accounts, or find those of an interrupted day."""
    with house.session() as session:
        with session.transaction():
            officer_id = _find_user(session, f"officer@{tag}.example") or _open_officer(
                session, tag
            )
        members = []
        for trader in traders:
            with session.transaction():
                user_id, account_id = _find_or_open(session, trader, tag, currency)
            members.append(Member(trader, user_id, account_id, currency, tag, officer_id, house))
    return members


def money_in(engine: Engine, members: Sequence[Member], occasion: str, desk: CardDesk) -> None:
    """Let members deposit into their wallets and move it all to their trading accounts."""
    with members[0].house.session() as session:
        _record_rates(session, members[0].currency)
        for member in members:
            amount = MIDDAY_DEPOSIT
            if occasion == "opening":
                amount = Decimal(member.trader.deposit)
            request = _request(member, PaymentKind.DEPOSIT, f"{occasion} deposit", amount)
            with session.transaction():
                payment = start_payment(session, request)
            require_not_denied(desk.carry(session, payment))
            move = MoveMoney(
                account_id=member.account_id,
                direction=Direction.TO_ACCOUNT,
                amount=amount,
                transaction_id=member.key(f"{occasion} funding"),
            )
            engine.submit(move).result()
    engine.wait_until_idle()


def money_out(
    engine: Engine, members: Sequence[Member], measured: Measured, desk: CardDesk
) -> None:
    """Let every other member take a part of its balance home."""
    with members[0].house.session() as session:
        _record_rates(session, members[0].currency)
        for member in members[::2]:
            try:
                _pay_out(engine, session, member, desk)
            except TradewrightError as error:
                if error.code not in _EXPECTED:
                    raise
                measured.refused[error.code] += 1
    engine.wait_until_idle()
    with members[0].house.session() as session:
        measured.reconciled = desk.reconciled(session)


_EXPECTED = frozenset(
    {
        ErrorCode.MONEY_INSUFFICIENT_FUNDS,
        ErrorCode.PAYMENT_LIMIT_EXCEEDED,
        ErrorCode.PAYMENT_FRAUD_SUSPECTED,
        ErrorCode.INPUT_AMOUNT_NOT_POSITIVE,
    }
)
"""What may keep a trader from its payout without anything being wrong."""


def _record_rates(session: Session, currency: str) -> None:
    """Say what payments are counted by, while it is fresh."""
    with session.transaction():
        record_rates(session, rates_to_dollars(currency, utc_now()))


def _pay_out(engine: Engine, session: Session, member: Member, desk: CardDesk) -> None:
    """Move a share of the balance to the wallet, then withdraw it through an officer if needed."""
    with session.transaction():
        balance = _balance(session, member)
    amount = (balance * PAYOUT_SHARE).quantize(minor_unit(member.currency), rounding=ROUND_DOWN)
    move = MoveMoney(
        account_id=member.account_id,
        direction=Direction.TO_WALLET,
        amount=amount,
        transaction_id=member.key("payout transfer"),
    )
    engine.submit(move).result()
    with session.transaction():
        payment = start_payment(session, _request(member, PaymentKind.WITHDRAWAL, "payout", amount))
    require_not_denied(payment)
    with session.transaction():
        if payment.status is PaymentStatus.REQUIRES_APPROVAL:
            payment = approve_payment(session, payment.id, member.officer_id)
        if payment.provider is Provider.DIRECT:
            complete_withdrawal(session, payment.id)
    desk.carry(session, payment)


def _request(member: Member, kind: PaymentKind, occasion: str, amount: Decimal) -> PaymentRequest:
    return PaymentRequest(
        payment_id=member.key(occasion),
        user_id=member.user_id,
        kind=kind,
        currency=member.currency,
        amount=amount,
        provider=provider_of(member.trader.number),
    )


def _find_user(session: Session, email: str) -> str | None:
    row = session.execute(
        load_queries("tradewright.demo")["user_by_email"], {"email": email}
    ).fetchone()
    return None if row is None else str(row[0])


def _open_officer(session: Session, tag: str) -> str:
    officer_id = open_user(
        session,
        email=f"officer@{tag}.example",
        client_class=ClientClass.PROFESSIONAL,
        kyc_level=4,
    )
    grant_role(session, officer_id, "payments_officer")
    return officer_id


def _find_or_open(session: Session, trader: Trader, tag: str, currency: str) -> tuple[str, str]:
    email = f"trader-{trader.number}@{tag}.example"
    row = session.execute(
        load_queries("tradewright.demo")["account_by_email"], {"email": email}
    ).fetchone()
    if row is not None:
        return str(row[0]), str(row[1])
    # Deposits are so many units of whatever currency; limits are in dollars.
    kyc_level = trader.kyc_level if currency == LIMIT_CURRENCY else 4
    user_id = open_user(session, email=email, client_class=trader.client_class, kyc_level=kyc_level)
    grant_role(session, user_id, "trader")
    settings = AccountSettings(currency=currency, leverage=trader.leverage, book=trader.book)
    return user_id, open_account(session, user_id, settings)


def _balance(session: Session, member: Member) -> Decimal:
    row = session.execute(
        load_queries("tradewright.demo")["balance"], {"account_id": member.account_id}
    ).fetchone()
    if row is None:
        raise InputError(
            ErrorCode.ACCOUNT_UNKNOWN,
            f'account "{member.account_id}" does not exist',
            why="The demo opened it at the beginning of the day.",
            hint="Start a new day.",
        )
    return Decimal(row[0])
