"""Money in suspense over random histories, beside a small model of who has taken it.

An officer sends it back again and again, providers tell what became of that in any order, and the
payer's bank disputes the deposit: at most one of them ever has the money.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.db.test_suspense import booked, held, officer, refused_deposit, send, told_of
from tests.news import news, tell
from tradewright import audit
from tradewright.core.clock import utc_now
from tradewright.core.errors import ErrorCode, TradewrightError
from tradewright.payments import Payment, Provider
from tradewright.payments.providers.booking import as_csv
from tradewright.payments.reconciliation.model import Bucket
from tradewright.payments.reconciliation.service import compare, import_statement
from tradewright.payments.send_backs import SuspenseReturn
from tradewright.payments.suspense import item_of
from tradewright.payments.webhooks.outcome import OutcomeKind
from tradewright.postgres.connect import Session, connect
from tradewright.postgres.embedded import EmbeddedServer

PENDING, TAKEN, FAILED = 0, 1, 2


@dataclass
class Taking:
    """One who takes the money: how far it has come, and whether the money ever left for it."""

    rank: int
    has_left: bool = False


@dataclass
class Model:
    """Who has taken what is in suspense, and which disputes wait, by name."""

    takings: dict[str, Taking] = field(default_factory=dict)
    waiting: list[str] = field(default_factory=list)

    @property
    def is_open(self) -> bool:
        """Tell whether it is on its way, or gone."""
        return any(each.rank != FAILED for each in self.takings.values())

    def tell(self, name: str, rank: int) -> OutcomeKind:
        """Take news; a success that nothing is left for waits."""
        outcome = self._take(name, rank)
        if outcome is OutcomeKind.WAITING:
            self.waiting.append(name)
        while outcome is OutcomeKind.APPLIED:
            again = list(self.waiting)
            done = [each for each in again if self._take(each, TAKEN) is not OutcomeKind.WAITING]
            self.waiting = [each for each in again if each not in done]
            if not done:
                break
        return outcome

    def _take(self, name: str, rank: int) -> OutcomeKind:
        known = self.takings.get(name)
        if known is None:
            if rank == TAKEN and self.is_open:
                return OutcomeKind.WAITING
            self.takings[name] = Taking(rank, has_left=rank == TAKEN)
            return OutcomeKind.APPLIED
        is_late = rank == TAKEN and not known.has_left
        if rank <= known.rank and not is_late:
            return OutcomeKind.IGNORED
        known.rank = max(rank, known.rank)
        known.has_left |= rank == TAKEN
        return OutcomeKind.APPLIED


@pytest.fixture(scope="module")
def session(server: EmbeddedServer, engine_template: str) -> Iterator[Session]:
    """Give one session on a database of this module's own; the laws are held at the end."""
    server.create_database("suspense_histories", template=engine_template)
    with connect(server.conninfo("suspense_histories"), autocommit=True) as opened:
        yield opened
        audit.require_laws(audit.check_laws(opened))


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["send", "send", "sent", "sent", "not sent", "lost", "won"]),
        st.integers(0, 2),
    ),
    min_size=3,
    max_size=12,
)
RANKS = {"sent": TAKEN, "not sent": FAILED, "lost": TAKEN, "won": FAILED}


@settings(max_examples=20, deadline=None)
@given(STEPS)
def test_at_most_one_has_what_is_in_suspense_in_any_history(
    session: Session, steps: list[tuple[str, int]]
) -> None:
    payment, sender = refused_deposit(session, officer(session)), officer(session)
    item, model = item_of(session, payment.id), Model()
    assert item is not None
    before = Decimal(str(held(session, "suspense"))) - 100
    orders = list[SuspenseReturn]()
    for step, pick in steps:
        if step == "send":
            try:
                order = send(session, item.id, sender)
            except TradewrightError as error:
                if error.code is not ErrorCode.PAYMENT_SUSPENSE_RETURN_REFUSED:
                    raise
                assert model.is_open
                continue
            assert not model.is_open
            orders.append(order)
            model.takings[f"re_{order.id}"] = Taking(PENDING)
        elif step in ("lost", "won"):
            name = f"claim_{payment.id}_{pick % 2}"
            told = tell(session, news(payment, f"dispute.{step}", claim=name)).kind
            assert told is model.tell(name, RANKS[step])
        elif orders:
            order = orders[pick % len(orders)]
            event = "refund.succeeded" if step == "sent" else "refund.failed"
            told = told_of(session, order, event)
            assert told is model.tell(f"re_{order.id}", RANKS[step])
        has_gone = [each for each in model.takings.values() if each.rank == TAKEN]
        assert len(has_gone) <= 1
        assert held(session, "suspense") == before + (0 if has_gone else 100)
    everything_is_stated(session, model, payment)
    audit.require_laws(audit.check_laws(session))


def everything_is_stated(session: Session, model: Model, payment: Payment) -> None:
    """Compare with the statement of a provider who has done what the model says."""
    came = booked(payment)
    lines = [came]
    for taker, taking in model.takings.items():
        if taking.has_left:
            kind = "refund" if taker.startswith("re_") else "dispute"
            lines.append(replace(came, kind=kind, reference=taker))
        if taking.has_left and taking.rank == FAILED:
            lines.append(replace(came, kind="return", reference=taker))
    with session.transaction():
        import_statement(session, Provider.CARDS, as_csv(lines))
    names = {line.reference for line in lines} | model.takings.keys()
    found = compare(session, Provider.CARDS, since=utc_now().date() - timedelta(days=1))
    met = {tuple(each.key): each.bucket for each in found if each.key.reference in names}
    assert met == {(line.kind, line.reference): Bucket.MATCHED for line in lines}
