"""A provider's news lead to the same end in whatever order they come, and however often.

Case 37, and beyond it: every permutation of a life, with repeats, on a real database. Each example
begins a payment of its own; the wallets, the states and what went through the provider's clearing
holder are compared at the end with those of the life told in order, and every law is held.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.news import news, settled_user, start, tell, wallet
from tradewright import audit, payments
from tradewright.core.clock import utc_now
from tradewright.core.ids import new_id_text
from tradewright.payments import PaymentKind, Provider, RateObserved
from tradewright.payments.webhooks.outcome import OutcomeKind
from tradewright.postgres.connect import Session, connect
from tradewright.postgres.embedded import EmbeddedServer


@dataclass(frozen=True)
class Life:
    """The news of one payment in the order in which they happened: type and claimed amount.

    A claim other than the payment's first has its name behind the amount, as in `60 b`.
    """

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
ONE_OF_TWO = Life(
    DEPOSIT,
    (
        ("charge.succeeded", ""),
        ("refund.pending", "60 a"),
        ("refund.failed", "60 a"),
        ("refund.pending", "60 b"),
        ("refund.succeeded", "60 b"),
    ),
)
"""The second refund fits only once the first has failed."""
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
    ONE_OF_TWO,
    Life(
        DEPOSIT,
        (
            ("charge.succeeded", ""),
            ("dispute.opened", "80 a"),
            ("dispute.lost", "80 a"),
            ("dispute.won", "80 a"),
            ("refund.pending", "70 b"),
            ("refund.succeeded", "70 b"),
            ("refund.failed", "70 b"),
            ("refund.succeeded", "100 c"),
        ),
    ),
    Life(DEPOSIT, (("charge.succeeded", ""), ("dispute.won", "100"))),
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
        event_type, claimed = life.told[place]
        amount, _, name = claimed.partition(" ")
        changes = {"amount": amount} if amount else {}
        named = {"claim": f"claim_{payment.id}_{name}"} if name else {}
        body = news(payment, event_type, **changes, **named)
        told = tell(session, body, event_id=f"{payment.id}_{place}")
        assert told.kind is not OutcomeKind.CONFLICTED
    ended = payments.find_payment(session, payment.id)
    claims = payments.read_claims(session, payment.id)
    asked_back = frozenset((claim.kind, claim.status, claim.amount) for claim in claims)
    return ended.status, asked_back, wallet(session, user_id), cleared(session, user_id)


def cleared(session: Session, user_id: str) -> tuple[tuple[bool, Decimal], ...]:
    """Return what went through the provider's clearing holder: whether to the user, and how much.

    It is what the provider's statement shows, whatever was set aside meanwhile.
    """
    rows = session.execute(
        "SELECT t.credit_holder_id = w.holder_id, t.amount FROM user_balances AS w"
        " JOIN transfers AS t ON w.holder_id IN (t.debit_holder_id, t.credit_holder_id)"
        " JOIN house_accounts AS h ON h.id IN (t.debit_holder_id, t.credit_holder_id)"
        " WHERE w.user_id = %s AND h.code = 'clearing_cards' ORDER BY 1, 2",
        (user_id,),
    )
    return tuple(rows)


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
    refund, went = (
        ("refund", "succeeded", Decimal(40)),
        ((False, Decimal(40)), (True, Decimal(100))),
    )
    assert ends == {("succeeded", frozenset({refund}), (Decimal(560), Decimal(0)), went)}


def test_every_permutation_of_two_refunds_of_which_one_fits_ends_alike(session: Session) -> None:
    """Case 37 with two claims, all 120 of them."""
    ends = {live(session, ONE_OF_TWO, list(order)) for order in permutations(range(5))}
    refunds = {("refund", "failed", Decimal(60)), ("refund", "succeeded", Decimal(60))}
    went = ((False, Decimal(60)), (True, Decimal(100)))
    assert ends == {("succeeded", frozenset(refunds), (Decimal(540), Decimal(0)), went)}


def test_every_permutation_of_a_payout_that_came_back_ends_alike(session: Session) -> None:
    """Case 37 for withdrawals: it went out and came back, in whatever order that is told."""
    returned = next(life for life in LIVES if life.told[-1][0] == "payout.failed")
    ends = {live(session, returned, list(order)) for order in permutations(range(3))}
    went = ((False, Decimal(100)), (True, Decimal(100)))
    assert ends == {("failed", frozenset(), (Decimal(500), Decimal(0)), went)}


def seen(txid: str, address: str, confirmations: int) -> bytes:
    """Return the chain's message of a transfer of one coin; fewer than none: it was dropped."""
    fields: dict[str, object] = {
        "type": "transfer.seen" if confirmations >= 0 else "transfer.dropped",
        "chain": "btc",
        "txid": txid,
        "output": 0,
        "round": 0,
        "address": address,
        "value": "100000000",
        "confirmations": max(confirmations, 0),
    }
    return json.dumps(fields).encode()


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(-1, 4), min_size=1, max_size=8))
def test_coins_end_where_the_furthest_of_their_blocks_leads(
    session: Session, counts: list[int]
) -> None:
    """Cases 36, 37 and 45 for coins: any blocks, in any order, again and again."""
    user_id, address = settled_user(session, kyc_level=4), f"btc1{new_id_text()}"
    payments.assign_address(session, Provider.CHAIN, address, user_id=user_id, currency="BTC")
    rate = RateObserved(
        base="BTC", quote="USD", rate=Decimal(20000), source="test", observed_at=utc_now()
    )
    payments.record_rates(session, [rate])
    txid = new_id_text().replace("-", "")
    for count in counts:
        told = tell(session, seen(txid, address, count), provider="chain")
        assert told.kind is not OutcomeKind.CONFLICTED
    [payment] = payments.list_payments(session, user_id=user_id)
    furthest = "reversed" if -1 in counts else STATES_BY_BLOCKS[min(max(counts), 3)]
    assert (payment.status, wallet(session, user_id, "BTC")) == (furthest, HELD[furthest])
    assert payments.read_debts(session, user_id) == {}


STATES_BY_BLOCKS = ("processing", "unconfirmed", "unconfirmed", "succeeded")
HELD = {"reversed": (0, 0), "processing": (0, 0), "unconfirmed": (0, 1), "succeeded": (1, 0)}
