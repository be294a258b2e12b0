"""Holds that expire and movements that are taken back, with those who race for them."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from decimal import Decimal
from functools import partial

import pytest

from tests.cast import open_user, open_wallet, value
from tests.conftest import OpenSession
from tests.db.sessions import at_once
from tradewright import audit, ledger
from tradewright.core.clock import pause, utc_now
from tradewright.core.errors import ErrorCode, TradewrightError
from tradewright.core.ids import new_id_text
from tradewright.ledger import LedgerReply
from tradewright.postgres.connect import Session


@pytest.fixture(autouse=True)
def laws_hold(engine: Session) -> Iterator[None]:
    """Hold every law after each of these tests, whatever it did."""
    yield
    audit.require_laws(audit.check_laws(engine))


def credited(session: Session, amount: str) -> tuple[str, tuple[str, str]]:
    """Credit a new user; return the user and the key of the movement."""
    user_id, key = open_user(session), new_id_text()
    ledger.credit(session, user_id, "USD", Decimal(amount), transaction_id=key)
    return user_id, (key, "credit")


def hold_until(session: Session, user_id: str, ahead: timedelta) -> str:
    reply = ledger.reserve(
        session,
        user_id,
        "USD",
        Decimal(10),
        transaction_id=new_id_text(),
        purpose="unconfirmed",
        expires_at=utc_now() + ahead,
    )
    return str(reply.hold_id)


def expired_hold(session: Session, user_id: str) -> str:
    hold_id = hold_until(session, user_id, timedelta(milliseconds=300))
    pause(0.35)
    return hold_id


def balances(session: Session, user_id: str) -> tuple[Decimal | int, Decimal | int]:
    row = session.execute(
        "SELECT available, reserved FROM user_balances WHERE user_id = %s", (user_id,)
    ).fetchone()
    assert row is not None
    return row[0], row[1]


def reverse(
    session: Session, key: tuple[str, str], amount: str | None = None, again: str = ""
) -> LedgerReply:
    return ledger.reverse(
        session,
        key,
        transaction_id=again or new_id_text(),
        amount=None if amount is None else Decimal(amount),
    )


def test_an_expired_hold_is_given_back_and_one_that_has_time_is_not(engine: Session) -> None:
    user_id = open_user(engine)
    open_wallet(engine, user_id)
    hold_until(engine, user_id, timedelta(hours=1))
    expired_hold(engine, user_id)
    assert [ledger.expire_holds(engine).released for _ in range(2)] == [1, 0]
    assert balances(engine, user_id) == (90, 10)


def test_a_sweep_takes_no_more_than_it_was_told(engine: Session) -> None:
    user_id = open_user(engine)
    open_wallet(engine, user_id)
    for _ in range(2):
        hold_until(engine, user_id, timedelta(milliseconds=200))
    expired_hold(engine, user_id)
    assert ledger.expire_holds(engine, count_max=2).released == 2
    assert balances(engine, user_id) == (90, 10)


def test_an_expired_hold_is_not_captured_but_may_be_released(engine: Session) -> None:
    user_id = open_user(engine)
    open_wallet(engine, user_id)
    hold_id = expired_hold(engine, user_id)
    with pytest.raises(TradewrightError) as caught:
        ledger.capture(engine, hold_id, transaction_id=new_id_text())
    assert caught.value.code == ErrorCode.MONEY_HOLD_EXHAUSTED
    assert "has expired" in caught.value.what
    ledger.release(engine, hold_id, transaction_id=new_id_text())
    assert balances(engine, user_id) == (100, 0)


def test_a_capture_from_before_the_expiry_is_still_answered_after_it(engine: Session) -> None:
    user_id, key = open_user(engine), new_id_text()
    open_wallet(engine, user_id)
    hold_id = hold_until(engine, user_id, timedelta(milliseconds=500))
    ledger.capture(engine, hold_id, transaction_id=key)
    pause(0.55)
    assert ledger.capture(engine, hold_id, transaction_id=key).is_replay
    assert ledger.expire_holds(engine).released == 0


def test_sweeps_and_releases_at_once_give_each_hold_back_once(
    engine: Session, open_session: OpenSession
) -> None:
    """Case 20."""
    user_id = open_user(engine)
    open_wallet(engine, user_id)
    holds = [hold_until(engine, user_id, timedelta(milliseconds=400)) for _ in range(4)]
    pause(0.45)

    def release_all(session: Session) -> int:
        done = 0
        for hold_id in holds:
            try:
                ledger.release(session, hold_id, transaction_id=new_id_text())
                done += 1
            except TradewrightError as error:
                if error.code != ErrorCode.MONEY_HOLD_EXHAUSTED:
                    raise
        return done

    def expire_all(session: Session) -> int:
        return ledger.expire_holds(session).released

    works: list[Callable[[Session], int]] = [expire_all, release_all] * 2
    counts = [count for count in at_once(open_session, works) if isinstance(count, int)]
    assert (len(counts), sum(counts)) == (4, 4)
    assert balances(engine, user_id) == (100, 0)


def test_a_hold_that_cannot_go_back_holds_up_no_other(engine: Session) -> None:
    full, others = open_user(engine), [open_user(engine) for _ in range(2)]
    open_wallet(engine, full, "10")
    hold_id = hold_until(engine, full, timedelta(milliseconds=300))
    open_wallet(engine, full, "999999999999")
    for user_id in others:
        open_wallet(engine, user_id)
        expired_hold(engine, user_id)
    sweep = ledger.expire_holds(engine, count_max=2)
    assert (sweep.released, sweep.refused) == (1, 1)
    assert str(sweep.refusal).startswith(f'hold "{hold_id}" cannot be given back: ')
    assert "TW007" in str(sweep.refusal)
    assert ledger.expire_holds(engine, count_max=1).released == 0
    assert ledger.expire_holds(engine, count_max=1, skip_count=1).released == 1
    assert [balances(engine, user_id) for user_id in others] == [(100, 0), (100, 0)]
    assert balances(engine, full) == (999999999999, 10)


def test_a_hold_that_would_begin_expired_is_refused(engine: Session) -> None:
    user_id = open_user(engine)
    open_wallet(engine, user_id)
    with pytest.raises(TradewrightError) as caught:
        hold_until(engine, user_id, timedelta(seconds=-1))
    assert caught.value.code == ErrorCode.INPUT_EXPIRY_PAST
    assert (caught.value.facts["sqlstate"], caught.value.why != "") == ("TW040", True)


def test_a_repeated_reservation_is_answered_also_when_it_has_expired(engine: Session) -> None:
    user_id, key = open_user(engine), new_id_text()
    open_wallet(engine, user_id)
    ask = partial(
        ledger.reserve, engine, user_id, "USD", Decimal(10), transaction_id=key, purpose="order"
    )
    soon = utc_now() + timedelta(seconds=0.3)
    first = ask(expires_at=soon)
    pause(0.35)
    again = ask(expires_at=soon)
    assert (again.hold_id, again.is_replay) == (first.hold_id, True)


@pytest.mark.parametrize("other", [timedelta(hours=2), None])
def test_a_repeated_reservation_with_another_expiry_is_a_conflict(
    engine: Session, other: timedelta | None
) -> None:
    """Case 12."""
    user_id, key, now = open_user(engine), new_id_text(), utc_now()
    open_wallet(engine, user_id)
    ask = partial(
        ledger.reserve, engine, user_id, "USD", Decimal(10), transaction_id=key, purpose="order"
    )
    ask(expires_at=now + timedelta(hours=1))
    with pytest.raises(TradewrightError) as caught:
        ask(expires_at=None if other is None else now + other)
    assert caught.value.code == ErrorCode.MONEY_IDEMPOTENCY_CONFLICT
    assert balances(engine, user_id) == (90, 10)


def test_a_capture_that_races_the_expiry_of_its_hold_wins_or_loses_whole(
    engine: Session, open_session: OpenSession
) -> None:
    """Case 20: exactly one of them has each hold, whichever comes first."""
    user_id = open_user(engine)
    open_wallet(engine, user_id)
    soon = utc_now() + timedelta(seconds=2)
    holds = [hold_until(engine, user_id, soon - utc_now()) for _ in range(10)]

    def capture_all(session: Session) -> int:
        done = 0
        pause(max(0.0, (soon - utc_now()).total_seconds() - 0.03))
        for hold_id in holds:
            pause(0.005)
            try:
                ledger.capture(session, hold_id, transaction_id=new_id_text())
                done += 1
            except TradewrightError as error:
                if error.code != ErrorCode.MONEY_HOLD_EXHAUSTED:
                    raise
        return done

    def expire_all(session: Session) -> int:
        given_back = 0
        while utc_now() < soon + timedelta(seconds=0.5):
            given_back += ledger.expire_holds(session).released
        return given_back

    captured, *swept = at_once(open_session, [capture_all, expire_all, expire_all])
    given_back = sum(count for count in swept if isinstance(count, int))
    assert isinstance(captured, int)
    assert captured + given_back == len(holds)
    ends = "SELECT count(DISTINCT hold_id) FROM balance_ledger WHERE effect = %s"
    assert (value(engine, ends, "capture"), value(engine, ends, "release")) == (
        captured,
        given_back,
    )
    assert balances(engine, user_id) == (100 - 10 * captured, 0)


@pytest.mark.parametrize("amount", ["NaN", "Infinity", "-Infinity"])
def test_the_reversal_of_an_amount_that_is_no_number_is_told_by_its_form(
    engine: Session, amount: str
) -> None:
    _, key = credited(engine, "100")
    with pytest.raises(TradewrightError) as caught:
        reverse(engine, key, amount)
    assert caught.value.code == ErrorCode.INPUT_AMOUNT_MALFORMED


def test_a_credit_is_taken_back_in_parts_up_to_its_amount(engine: Session) -> None:
    """Case 42."""
    user_id, key = credited(engine, "100")
    assert reverse(engine, key, "30.50").available == Decimal("69.50")
    assert reverse(engine, key).available == 0
    for amount in (None, "0.01"):
        with pytest.raises(TradewrightError) as caught:
            reverse(engine, key, amount)
        assert caught.value.code == ErrorCode.MONEY_REVERSAL_EXCEEDED
    links = value(engine, "SELECT count(*) FROM transfers WHERE reverses_id IS NOT NULL")
    assert (links, balances(engine, user_id)) == (2, (0, 0))


def test_reversals_at_once_never_pass_the_movement(
    engine: Session, open_session: OpenSession
) -> None:
    """Case 42, raced."""
    user_id, key = credited(engine, "100")
    open_wallet(engine, user_id, "500")
    works: list[Callable[[Session], LedgerReply]] = [partial(reverse, key=key, amount="30")] * 6
    ends = at_once(open_session, works)
    assert len([end for end in ends if isinstance(end, LedgerReply)]) == 3
    assert balances(engine, user_id) == (510, 0)


@pytest.mark.parametrize("operation", ["debit", "capture"])
def test_money_that_left_comes_back(engine: Session, operation: str) -> None:
    user_id, key = open_user(engine), new_id_text()
    open_wallet(engine, user_id)
    if operation == "debit":
        ledger.debit(engine, user_id, "USD", Decimal(10), transaction_id=key)
    else:
        hold_id = hold_until(engine, user_id, timedelta(hours=1))
        ledger.capture(engine, hold_id, transaction_id=key)
    assert reverse(engine, (key, operation)).available == 100


def test_a_reversal_is_done_once_and_answered_alike(engine: Session) -> None:
    _, key = credited(engine, "100")
    _, other = credited(engine, "100")
    again = new_id_text()
    first = reverse(engine, key, "100", again)
    second = reverse(engine, key, "100", again)
    assert (second.version, second.is_replay) == (first.version, True)
    for asked, amount in ((key, "99"), (other, "100")):
        with pytest.raises(TradewrightError) as caught:
            reverse(engine, asked, amount, again)
        assert caught.value.code == ErrorCode.MONEY_IDEMPOTENCY_CONFLICT


def test_a_credit_that_was_spent_is_not_taken_back_below_zero(engine: Session) -> None:
    """Case 41: the house decides what to do; the wallet is never overdrawn."""
    user_id, key = credited(engine, "100")
    ledger.debit(engine, user_id, "USD", Decimal(60), transaction_id=new_id_text())
    with pytest.raises(TradewrightError) as caught:
        reverse(engine, key)
    assert caught.value.code == ErrorCode.MONEY_INSUFFICIENT_FUNDS
    assert reverse(engine, key, "40").available == 0


def test_what_is_no_movement_with_the_house_is_not_reversed(engine: Session) -> None:
    user_id, key = credited(engine, "100")
    again = new_id_text()
    reverse(engine, key, "10", again)
    held = new_id_text()
    ledger.reserve(engine, user_id, "USD", Decimal(5), transaction_id=held, purpose="order")
    for unknown in ((new_id_text(), "credit"), (key[0], "debit"), (again, "reversal")):
        with pytest.raises(TradewrightError) as caught:
            reverse(engine, unknown)
        assert caught.value.code == ErrorCode.MONEY_MOVEMENT_UNKNOWN
    with pytest.raises(TradewrightError) as caught:
        reverse(engine, (held, "reserve"))
    assert caught.value.code == ErrorCode.MONEY_MOVEMENT_UNKNOWN


@pytest.mark.parametrize("amount", ["0", "-1", "NaN", "0.001"])
def test_a_bad_amount_reverses_nothing(engine: Session, amount: str) -> None:
    user_id, key = credited(engine, "100")
    with pytest.raises(TradewrightError):
        reverse(engine, key, amount)
    assert balances(engine, user_id) == (100, 0)
