"""Two real sessions at the same money: what happens is what one order of the two would do.

Holds that expire while a group of them is captured, and refunds that fit only one by one.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from datetime import timedelta
from decimal import Decimal
from functools import partial
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.cast import open_user
from tests.conftest import OpenSession
from tests.db.sessions import at_once
from tests.news import deposited, settled_user, wallet
from tradewright import audit, ledger, payments
from tradewright.core.clock import pause, utc_now
from tradewright.core.errors import ErrorCode, MoneyError, TradewrightError
from tradewright.core.ids import new_id_text
from tradewright.payments import Claim, ClaimKind, ClaimOrder, Payment
from tradewright.postgres.connect import Session, connect
from tradewright.postgres.embedded import EmbeddedServer

CENT = Decimal("0.01")


@pytest.fixture(scope="module")
def opener(server: EmbeddedServer, engine_template: str) -> Iterator[OpenSession]:
    """Give a function that hands out three sessions in turn; the laws are held at the end."""
    server.create_database("money_races", template=engine_template)
    with ExitStack() as opened:
        conninfo = server.conninfo("money_races")
        free = [opened.enter_context(connect(conninfo, autocommit=True)) for _ in range(3)]

        def next_one() -> Session:
            free.append(free.pop(0))
            return free[-1]

        yield next_one
        audit.require_laws(audit.check_laws(next_one()))


@pytest.fixture(scope="module")
def session(opener: OpenSession) -> Session:
    return opener()


def held(session: Session, user_id: str, cents: int, milliseconds: int | None) -> str:
    """Set money aside, for so long or for good; return the hold."""
    expires_at = utc_now() + timedelta(milliseconds=milliseconds) if milliseconds else None
    reply = ledger.reserve(
        session,
        user_id,
        "USD",
        cents * CENT,
        transaction_id=new_id_text(),
        purpose="order",
        expires_at=expires_at,
    )
    assert reply.hold_id is not None
    return reply.hold_id


def remaining(session: Session, holds: Sequence[str]) -> list[Decimal]:
    """Return what is left of holds, in their order."""
    query = "SELECT h.remaining FROM balance_holds AS h WHERE h.id = %s"
    return [session.execute(query, (hold,)).fetchall()[0][0] for hold in holds]


HOLDS = st.lists(
    st.tuples(
        st.integers(2, 900),
        st.sampled_from([None, None, 40, 60, 80]),
        st.sampled_from([0, 0, 1]),
    ),
    min_size=2,
    max_size=5,
)


@settings(max_examples=12, deadline=None)
@given(HOLDS, st.booleans(), st.integers(30, 70))
def test_a_group_is_captured_whole_or_not_at_all_while_its_holds_expire(
    opener: OpenSession,
    session: Session,
    drawn: list[tuple[int, int | None, int]],
    is_two_wallets: bool,
    wait: int,
) -> None:
    """Each hold may have been captured in part before; what has expired goes back and nowhere."""
    users = [settled_user(session, "50") for _ in range(2 if is_two_wallets else 1)]
    owners = [users[place % len(users)] for place in range(len(drawn))]
    holds = [
        held(session, owner, cents, ms) for owner, (cents, ms, _) in zip(owners, drawn, strict=True)
    ]
    before = []
    for hold, (cents, _, part) in zip(holds, drawn, strict=True):
        if part:
            ledger.capture(session, hold, transaction_id=new_id_text(), amount=part * CENT)
        before.append((cents - part) * CENT)

    def capture(one: Session) -> str:
        pause(wait / 1000)
        with one.transaction():
            ledger.capture_holds(one, holds, transaction_id=new_id_text())
        return "captured"

    def expire(one: Session) -> str:
        for _ in range(10):
            ledger.expire_holds(one)
            pause(0.01)
        return "expired"

    captured, _ = at_once(opener, [capture, expire])
    left = remaining(session, holds)
    if isinstance(captured, TradewrightError):
        assert captured.code == ErrorCode.MONEY_HOLD_EXHAUSTED
        assert any(ms is not None for _, ms, _ in drawn)
        for amount, whole, (_, ms, _) in zip(left, before, drawn, strict=True):
            assert amount == (whole if ms is None else 0)
    else:
        assert left == [0] * len(holds)
    for user_id in users:
        mine = [place for place, owner in enumerate(owners) if owner == user_id]
        gone = sum((drawn[place][2] * CENT for place in mine), Decimal(0))
        if not isinstance(captured, TradewrightError):
            gone += sum((before[place] for place in mine), Decimal(0))
        reserved = sum((left[place] for place in mine), Decimal(0))
        assert wallet(session, user_id) == (Decimal(50) - gone - reserved, reserved)


def ask(
    officer_id: str, payment: Payment, amount: Decimal, claim_id: str, session: Session
) -> Claim:
    """Ask for a refund in a transaction of its own."""
    order = ClaimOrder(claim_id=claim_id, kind=ClaimKind.REFUND, amount=amount, reason="race")
    with session.transaction():
        return payments.request_refund(session, order, payment_id=payment.id, officer_id=officer_id)


def passing(amounts: Sequence[Decimal], order: Sequence[int], room: Decimal) -> frozenset[int]:
    """Return which of the refunds pass when they are asked for in this order."""
    passed = set()
    for place in order:
        if amounts[place] <= room:
            room -= amounts[place]
            passed.add(place)
    return frozenset(passed)


@settings(max_examples=15, deadline=None)
@given(
    st.lists(st.integers(1, 11_000), min_size=2, max_size=3),
    st.integers(0, 6_000),
    st.booleans(),
)
def test_refunds_that_race_end_as_one_order_of_them_would(
    opener: OpenSession, session: Session, cents: list[int], spent: int, is_same: bool
) -> None:
    """Case 42 with sessions: never more than the deposit, nor than there is, and each id once."""
    user_id, officer_id = settled_user(session), open_user(session, role="payments_officer")
    payment = deposited(session, user_id)
    if spent:
        amount = spent * CENT
        ledger.debit(session, user_id, "USD", amount, transaction_id=new_id_text())
    amounts = [each * CENT for each in cents]
    ids = [new_id_text() for _ in amounts]
    if is_same:
        amounts, ids = [amounts[0]] * len(amounts), [ids[0]] * len(ids)
    works = [
        partial(ask, officer_id, payment, amount, claim_id)
        for amount, claim_id in zip(amounts, ids, strict=True)
    ]
    answers = at_once(opener, works)
    passed = {place for place, answer in enumerate(answers) if isinstance(answer, Claim)}
    room = Decimal(100) - spent * CENT
    if is_same:
        fits = amounts[0] <= room
        assert len(passed) == (len(works) if fits else 0)
        taken = amounts[0] if fits else Decimal(0)
    else:
        orders = permutations(range(len(amounts)))
        assert frozenset(passed) in {passing(amounts, order, room) for order in orders}
        taken = sum((amounts[place] for place in passed), Decimal(0))
    refused = [answer for answer in answers if isinstance(answer, TradewrightError)]
    assert all(isinstance(each, MoneyError) for each in refused)
    assert wallet(session, user_id) == (room - taken, taken)
