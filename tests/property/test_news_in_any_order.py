"""A provider's news lead to the same end in whatever order they come, and however often.

Case 37, and beyond it: every permutation of a life, with repeats, on a real database. Each example
begins a payment of its own; the wallets and states at the end are compared with those of the life
told in order, and every law is held.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.news import news, settled_user, start, tell, wallet
from tradewright import audit, payments
from tradewright.payments import PaymentKind
from tradewright.postgres.connect import Session, connect
from tradewright.postgres.embedded import EmbeddedServer


@dataclass(frozen=True)
class Life:
    """The news of one payment in the order in which they happened: type and claimed amount."""

    kind: PaymentKind
    told: tuple[tuple[str, str], ...]


DEPOSIT, WITHDRAWAL = PaymentKind.DEPOSIT, PaymentKind.WITHDRAWAL
REFUNDED = Life(
    DEPOSIT,
    (
        ("charge.created", ""),
        ("charge.processing", ""),
        ("charge.succeeded", ""),
        ("refund.succeeded", "40"),
    ),
)
LIVES = (
    REFUNDED,
    Life(
        DEPOSIT,
        (
            ("charge.processing", ""),
            ("charge.failed", ""),
            ("charge.canceled", ""),
            ("charge.succeeded", ""),
            ("refund.pending", "100"),
            ("refund.succeeded", "100"),
            ("refund.failed", "100"),
        ),
    ),
    Life(
        DEPOSIT,
        (
            ("charge.succeeded", ""),
            ("refund.succeeded", "30"),
            ("dispute.opened", "70"),
            ("dispute.lost", "70"),
            ("dispute.won", "70"),
        ),
    ),
    Life(DEPOSIT, (("charge.succeeded", ""), ("dispute.opened", "100"), ("dispute.lost", "100"))),
    Life(DEPOSIT, (("charge.processing", ""), ("charge.canceled", ""), ("charge.failed", ""))),
    Life(WITHDRAWAL, (("payout.processing", ""), ("payout.paid", ""), ("payout.failed", ""))),
    Life(WITHDRAWAL, (("payout.processing", ""), ("payout.paid", ""))),
)


@pytest.fixture(scope="module")
def session(server: EmbeddedServer, engine_template: str) -> Iterator[Session]:
    """Give one session on a database of this module's own; the laws are held at the end."""
    server.create_database("news", template=engine_template)
    with connect(server.conninfo("news"), autocommit=True) as opened:
        yield opened
        audit.require_laws(audit.check_laws(opened))


End = tuple[object, ...]


def live(session: Session, life: Life, order: list[int]) -> End:
    """Tell a life in an order of its own; return where it ends."""
    user_id = settled_user(session, "500")
    payment = start(session, user_id, kind=life.kind)
    for place in order:
        event_type, amount = life.told[place]
        changes = {"amount": amount} if amount else {}
        tell(session, news(payment, event_type, **changes), event_id=f"{payment.id}_{place}")
    ended = payments.find_payment(session, payment.id)
    claims = payments.read_claims(session, payment.id)
    told = frozenset((claim.kind, claim.status, claim.amount) for claim in claims)
    return ended.status, told, wallet(session, user_id)


@st.composite
def orders(draw: st.DrawFn) -> tuple[Life, list[int]]:
    """Draw a life and an order of its news in which each comes at least once."""
    life = draw(st.sampled_from(LIVES))
    places = range(len(life.told))
    again = draw(st.lists(st.sampled_from(places), max_size=3))
    return life, draw(st.permutations([*places, *again]))


@pytest.fixture(scope="module")
def ends(session: Session) -> dict[Life, End]:
    """Give the end of each life told in order."""
    return {life: live(session, life, list(range(len(life.told)))) for life in LIVES}


@settings(max_examples=40, deadline=None)
@given(orders())
def test_every_order_with_repeats_ends_like_the_life_told_in_order(
    session: Session, ends: dict[Life, End], drawn: tuple[Life, list[int]]
) -> None:
    life, order = drawn
    assert live(session, life, order) == ends[life]


def test_every_permutation_of_a_refunded_deposit_ends_alike(session: Session) -> None:
    """Case 37, all 24 of them."""
    ends = {live(session, REFUNDED, list(order)) for order in permutations(range(4))}
    refund = ("refund", "succeeded", Decimal(40))
    assert ends == {("succeeded", frozenset({refund}), (Decimal(560), Decimal(0)))}
