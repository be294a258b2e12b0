"""Random histories of payments, beside a small model of what their wallets then hold.

The model knows no wallets, holds or debts: only which money has come, gone, and is set aside. What
is left is available, and what lacks is owed. Each history ends with its provider's statement, which
reconciliation compares, and with every law.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.cast import open_user
from tests.news import news, settled_user, start, tell, wallet
from tradewright import audit, ledger, payments
from tradewright.core.clock import utc_now
from tradewright.core.errors import ErrorCode, TradewrightError
from tradewright.core.ids import new_id_text
from tradewright.payments import (
    ClaimKind,
    ClaimOrder,
    Payment,
    PaymentKind,
    PaymentRequest,
    PaymentStatus,
    Provider,
    RateObserved,
)
from tradewright.payments.debts import collect_open_debts
from tradewright.payments.providers.booking import Booking, as_csv
from tradewright.payments.providers.chain import CONFIRMATIONS, UNIT
from tradewright.payments.reconciliation.model import Bucket
from tradewright.payments.reconciliation.service import compare, import_statement
from tradewright.payments.webhooks.outcome import OutcomeKind
from tradewright.postgres.connect import Session, connect
from tradewright.postgres.embedded import EmbeddedServer
from tradewright.postgres.retry import same_connection

TODAY = utc_now().date()
REFUSALS = {
    ErrorCode.MONEY_INSUFFICIENT_FUNDS,
    ErrorCode.PAYMENT_CLAIM_EXCEEDED,
    ErrorCode.PAYMENT_DEBT_OPEN,
    ErrorCode.PAYMENT_STATE_REFUSED,
}
OPEN, TAKEN, GIVEN_UP = 0, 1, 2
CREDITED, FINAL = CONFIRMATIONS["btc"]
ENDS = {
    ClaimKind.REFUND: ("refund.pending", "refund.succeeded", "refund.failed"),
    ClaimKind.DISPUTE: ("dispute.opened", "dispute.lost", "dispute.won"),
}


@pytest.fixture(scope="module")
def session(server: EmbeddedServer, engine_template: str) -> Iterator[Session]:
    """Give one session on a database of this module's own; the laws are held at the end."""
    server.create_database("payment_histories", template=engine_template)
    with connect(server.conninfo("payment_histories"), autocommit=True) as opened:
        rate = RateObserved(
            base="BTC", quote="USD", rate=Decimal(100), source="test", observed_at=utc_now()
        )
        payments.record_rates(opened, [rate])
        yield opened
        audit.require_laws(audit.check_laws(opened))


@dataclass
class Claimed:
    """A refund or dispute of a deposit, and how far it has come."""

    deposit: int
    kind: ClaimKind
    amount: Decimal
    name: str
    claim_id: str | None
    rank: int = OPEN
    was_taken: bool = False


@dataclass
class Wallet:
    """What the model knows of one user's wallet: what has come and gone, and what is open."""

    currency: str
    came: Decimal = Decimal(0)
    gone: Decimal = Decimal(0)
    withdrawing: Decimal = Decimal(0)
    unconfirmed: Decimal = Decimal(0)
    claims: list[Claimed] = field(default_factory=list)

    @property
    def reserved(self) -> Decimal:
        """Return what is set aside."""
        asked_back = sum((c.amount for c in self.claims if c.rank == OPEN), Decimal(0))
        return self.withdrawing + self.unconfirmed + asked_back

    @property
    def left(self) -> Decimal:
        """Return what is available when it is positive, and what is owed when it is not."""
        taken = sum((c.amount for c in self.claims if c.rank == TAKEN), Decimal(0))
        return self.came - self.gone - taken - self.reserved

    def claimed_of(self, deposit: int) -> Decimal:
        """Return how much of a deposit is asked back or taken."""
        of = (c.amount for c in self.claims if c.deposit == deposit and c.rank != GIVEN_UP)
        return sum(of, Decimal(0))


class Life:
    """One user who pays in and out, with the model of the wallet beside it."""

    def __init__(self, session: Session, provider: Provider, currency: str) -> None:
        self.session = session
        self.user_id = settled_user(session, kyc_level=4)
        self.officer_id = open_user(session, role="payments_officer")
        self.provider = provider
        self.model = Wallet(currency)
        self.bookings: list[Booking] = []

    def booked(self, kind: str, reference: str, amount: Decimal) -> None:
        """Let the provider's statement show a movement."""
        money = {"currency": self.model.currency, "amount": amount, "fee": Decimal(0)}
        self.bookings.append(Booking(kind=kind, reference=reference, booked_on=TODAY, **money))  # type: ignore[arg-type]

    def age(self) -> None:
        """Let everything be long ago, so that neither limits nor fraud checks say anything."""
        self.session.execute(
            "UPDATE payment_transactions SET created_at = created_at - interval '100 days',"
            " completed_at = completed_at - interval '100 days' WHERE user_id = %s",
            (self.user_id,),
        )

    def tells(self, body: bytes) -> OutcomeKind:
        """Tell a message twice; the second changes nothing."""
        event_id = new_id_text()
        told = tell(self.session, body, event_id=event_id, provider=self.provider)
        again = tell(self.session, body, event_id=event_id, provider=self.provider)
        assert again.kind is OutcomeKind.IGNORED
        return told.kind

    def withdraw(self, amount: Decimal) -> Payment | None:
        """Ask for a withdrawal and have it approved, unless it is refused."""
        request = PaymentRequest(
            payment_id=new_id_text(),
            user_id=self.user_id,
            kind=PaymentKind.WITHDRAWAL,
            currency=self.model.currency,
            amount=amount,
            provider=self.provider,
            destination="where it goes",
        )
        is_refused = self.model.left < amount
        try:
            with self.session.transaction():
                payment = payments.start_payment(self.session, request)
                if payment.status is PaymentStatus.REQUIRES_APPROVAL:
                    payments.approve_payment(self.session, payment.id, self.officer_id)
        except TradewrightError as error:
            if error.code not in REFUSALS or not is_refused:
                raise
            return None
        assert not is_refused
        return payment

    def spend(self, amount: Decimal) -> None:
        """Take money out by another way than a payment, as far as there is any."""
        part = min(amount, max(self.model.left, Decimal(0)))
        if part:
            key = new_id_text()
            ledger.debit(self.session, self.user_id, self.model.currency, part, transaction_id=key)
            self.model.gone += part

    def holds(self) -> None:
        """Compare the wallet and what is owed with the model."""
        left, currency = self.model.left, self.model.currency
        owed = payments.read_debts(self.session, self.user_id)
        assert wallet(self.session, self.user_id, currency) == (max(left, 0), self.model.reserved)
        assert owed == ({currency: -left} if left < 0 else {})

    def ends(self) -> None:
        """Compare what was booked with the provider's statement, and hold every law."""
        with self.session.transaction():
            if self.bookings:
                import_statement(self.session, self.provider, as_csv(self.bookings))
        since = TODAY - timedelta(days=1)
        found = compare(self.session, self.provider, since=since)
        asked = payments.list_payments(self.session, user_id=self.user_id)
        names = {each.reference for each in self.bookings} | {each.reference for each in asked}
        met = {tuple(each.key): each.bucket for each in found if each.key.reference in names}
        assert met == {(each.kind, each.reference): Bucket.MATCHED for each in self.bookings}
        audit.require_laws(audit.check_laws(self.session))


class CardLife(Life):
    """Deposits by card, what is asked back of them, and payouts."""

    def __init__(self, session: Session) -> None:
        super().__init__(session, Provider.CARDS, "USD")
        self.deposits: list[Payment] = []
        self.payouts: list[Payment] = []

    def deposit(self, _: int, amount: Decimal) -> None:
        """Take a deposit in."""
        payment = start(self.session, self.user_id, f"{amount}")
        assert self.tells(news(payment, "charge.succeeded")) is OutcomeKind.APPLIED
        self.deposits.append(payment)
        self.model.came += amount
        self.booked("deposit", f"ch_{payment.id}", amount)

    def house_refund(self, pick: int, amount: Decimal) -> None:
        """Let an officer ask for a refund, unless it is more than there is or was paid."""
        if not self.deposits:
            return
        place = pick % len(self.deposits)
        room = self.deposits[place].amount - self.model.claimed_of(place)
        is_allowed = amount <= min(room, self.model.left)
        order = ClaimOrder(
            claim_id=new_id_text(), kind=ClaimKind.REFUND, amount=amount, reason="asked for"
        )
        ask = partial(payments.request_refund, officer_id=self.officer_id)
        try:
            with self.session.transaction():
                ask(self.session, order, payment_id=self.deposits[place].id)
        except TradewrightError as error:
            if error.code not in REFUSALS or is_allowed:
                raise
            return
        assert is_allowed
        name = f"re_{order.claim_id}"
        made = Claimed(place, ClaimKind.REFUND, amount, name, order.claim_id)
        self.model.claims.append(made)

    def provider_refund(self, pick: int, amount: Decimal) -> None:
        """Let the provider tell of a refund, which nobody can refuse."""
        self._told(ClaimKind.REFUND, pick, amount)

    def dispute(self, pick: int, amount: Decimal) -> None:
        """Let the payer's bank open a dispute."""
        self._told(ClaimKind.DISPUTE, pick, amount)

    def _told(self, kind: ClaimKind, pick: int, amount: Decimal) -> None:
        if not self.deposits:
            return
        place = pick % len(self.deposits)
        part = min(amount, self.deposits[place].amount - self.model.claimed_of(place))
        if part:
            made = Claimed(place, kind, part, f"cl_{new_id_text()}", None)
            assert self._tells_claim(made, ENDS[kind][OPEN]) is OutcomeKind.APPLIED
            self.model.claims.append(made)

    def end_claim(self, pick: int, amount: Decimal) -> None:
        """Take a claim on: taken, or given up, also after it was taken."""
        going = [each for each in self.model.claims if each.rank != GIVEN_UP]
        if not going:
            return
        claim = going[pick % len(going)]
        rank = GIVEN_UP if claim.rank == TAKEN else 1 + int(amount) % 2
        assert self._tells_claim(claim, ENDS[claim.kind][rank]) is OutcomeKind.APPLIED
        claim.was_taken |= rank == TAKEN
        if rank == TAKEN:
            self.booked(claim.kind, claim.name, claim.amount)
        elif claim.was_taken:
            self.booked("return", claim.name, claim.amount)
        claim.rank = rank

    def _tells_claim(self, claim: Claimed, event_type: str) -> OutcomeKind:
        named = {} if claim.claim_id is None else {"claim_metadata_id": claim.claim_id}
        payment = self.deposits[claim.deposit]
        told = {"claim": claim.name, "amount": f"{claim.amount}", **named}
        return self.tells(news(payment, event_type, **told))

    def pay_out(self, _: int, amount: Decimal) -> None:
        """Ask for a payout."""
        payment = self.withdraw(amount)
        if payment is not None:
            self.payouts.append(payment)
            self.model.withdrawing += amount

    def end_payout(self, pick: int, amount: Decimal) -> None:
        """Let a payout be paid or fail, or come back after it was paid."""
        if not self.payouts:
            return
        payment = self.payouts.pop(pick % len(self.payouts))
        stands = payments.find_payment(self.session, payment.id).status
        is_paid = stands is PaymentStatus.SUCCEEDED
        pays = not is_paid and int(amount) % 2 == 0
        event = "payout.paid" if pays else "payout.failed"
        assert self.tells(news(payment, event)) is OutcomeKind.APPLIED
        reference = f"ch_{payment.id}"
        if pays:
            self.payouts.append(payment)
            self.model.withdrawing -= payment.amount
            self.model.gone += payment.amount
            self.booked("withdrawal", reference, payment.amount)
        elif is_paid:
            self.model.gone -= payment.amount
            self.booked("return", reference, payment.amount)
        else:
            self.model.withdrawing -= payment.amount

    def spent(self, _: int, amount: Decimal) -> None:
        """Spend some of it."""
        self.spend(amount)

    def earned(self, _: int, amount: Decimal) -> None:
        """Let money come by another way, and debts be paid from it by their job."""
        key = new_id_text()
        ledger.credit(self.session, self.user_id, "USD", amount, transaction_id=key)
        collect_open_debts(same_connection(self.session))
        self.model.came += amount


CARD_STEPS = (
    CardLife.deposit,
    CardLife.house_refund,
    CardLife.provider_refund,
    CardLife.dispute,
    CardLife.end_claim,
    CardLife.end_claim,
    CardLife.pay_out,
    CardLife.end_payout,
    CardLife.spent,
    CardLife.earned,
)
AMOUNTS = st.sampled_from([1, 2, 33, 50, 67, 100]).map(
    lambda whole: Decimal(whole) + Decimal("0.01")
)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(CARD_STEPS), st.integers(0, 5), AMOUNTS), min_size=4, max_size=16
    )
)
def test_claims_and_payouts_in_any_history_leave_what_a_small_model_says(
    session: Session, steps: list[tuple[object, int, Decimal]]
) -> None:
    life = CardLife(session)
    life.deposit(0, Decimal("100.01"))
    for step, pick, amount in steps:
        life.age()
        assert callable(step)
        step(life, pick, amount)
        life.holds()
    life.ends()


@dataclass
class Coins:
    """Coins on their way: how many units, to where, how deep, and how often they were mined."""

    txid: str
    units: int
    address: str = ""
    payment_id: str | None = None
    depth: int = 0
    rounds: int = 0

    @property
    def amount(self) -> Decimal:
        """Return what they are worth in whole coins."""
        return self.units * UNIT

    @property
    def reference(self) -> str:
        """Return how the house names them."""
        return f"btc:{self.txid}:0" + (f"#{self.rounds}" if self.rounds else "")

    def told(self, event_type: str) -> bytes:
        """Return the chain's message about them."""
        fields: dict[str, object] = {
            "type": event_type,
            "chain": "btc",
            "txid": self.txid,
            "output": 0,
            "round": self.rounds,
            "address": self.address,
            "value": f"{self.units}",
            "confirmations": self.depth,
        }
        if self.payment_id:
            fields["metadata_id"] = self.payment_id
        return json.dumps(fields).encode()


class CoinLife(Life):
    """Coins that confirm block by block, are spent, and are dropped at every depth."""

    def __init__(self, session: Session) -> None:
        super().__init__(session, Provider.CHAIN, "BTC")
        self.coins: list[Coins] = []
        self.payouts: list[Coins] = []

    def arrive(self, _: int, units: int) -> None:
        """Let coins arrive; they wait to be mined."""
        coins = Coins(new_id_text().replace("-", ""), units, f"btc1{new_id_text()}")
        payments.assign_address(
            self.session, Provider.CHAIN, coins.address, user_id=self.user_id, currency="BTC"
        )
        self.coins.append(coins)

    def confirm(self, pick: int, blocks: int) -> None:
        """Add blocks on top of some coins, of which only the last is told."""
        if not self.coins:
            return
        coins = self.coins[pick % len(self.coins)]
        before = coins.depth
        coins.depth += 1 + blocks % 4
        outcome = self.tells(coins.told("transfer.seen"))
        is_new = (before < CREDITED) or (before < FINAL <= coins.depth)
        assert outcome is (OutcomeKind.APPLIED if is_new else OutcomeKind.IGNORED)
        if before < FINAL:
            self.model.unconfirmed -= coins.amount if before >= CREDITED else 0
            self.model.came += coins.amount if before < CREDITED else 0
            self.model.unconfirmed += coins.amount if coins.depth < FINAL else 0
        if before < FINAL <= coins.depth:
            self.booked("deposit", coins.reference, coins.amount)

    def drop(self, pick: int, _: int) -> None:
        """Take back the blocks in which some coins were, however deep; they are mined again."""
        if not self.coins:
            return
        coins = self.coins[pick % len(self.coins)]
        assert self.tells(coins.told("transfer.dropped")) is OutcomeKind.APPLIED
        if coins.depth >= CREDITED:
            self.model.came -= coins.amount
        if CREDITED <= coins.depth < FINAL:
            self.model.unconfirmed -= coins.amount
        if coins.depth >= FINAL:
            self.booked("refund", coins.reference, coins.amount)
        late = coins.told("transfer.seen")
        assert self.tells(late) is OutcomeKind.IGNORED
        coins.depth, coins.rounds = 0, coins.rounds + 1

    def pay_out(self, _: int, units: int) -> None:
        """Ask for coins to be sent."""
        payment = self.withdraw(units * UNIT)
        if payment is not None:
            self.payouts.append(Coins(new_id_text().replace("-", ""), units, "", payment.id))
            self.model.withdrawing += payment.amount

    def end_payout(self, _: int, units: int) -> None:
        """Let a payout be confirmed, or fail."""
        if not self.payouts:
            return
        coins = self.payouts.pop(0)
        pays = units % 2 == 0
        event = "payout.confirmed" if pays else "payout.failed"
        assert self.tells(coins.told(event)) is OutcomeKind.APPLIED
        self.model.withdrawing -= coins.amount
        if pays:
            self.model.gone += coins.amount
            self.booked("withdrawal", coins.reference, coins.amount)

    def spent(self, _: int, units: int) -> None:
        """Spend some of them."""
        self.spend(units * UNIT)


COIN_STEPS = (
    CoinLife.arrive,
    CoinLife.confirm,
    CoinLife.confirm,
    CoinLife.confirm,
    CoinLife.drop,
    CoinLife.pay_out,
    CoinLife.end_payout,
    CoinLife.spent,
)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(COIN_STEPS), st.integers(0, 3), st.integers(1, 9)),
        min_size=4,
        max_size=16,
    )
)
def test_reorganisations_at_every_depth_leave_what_a_small_model_says(
    session: Session, steps: list[tuple[object, int, int]]
) -> None:
    """Case 45 beyond single cases: coins that were credited, spent or sent on when they go."""
    life = CoinLife(session)
    life.arrive(0, 7)
    for step, pick, units in steps:
        life.age()
        assert callable(step)
        step(life, pick, units)
        life.holds()
    life.ends()
