"""A user's feed shows every event once and in one order, whatever commits when."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from tests.conftest import OpenSession
from tests.floor import Floor, buy, deal
from tests.web import new_user
from tradewright.core.errors import ErrorCode, TradewrightError
from tradewright.core.ids import new_id_text
from tradewright.payments import PaymentKind, PaymentRequest, Provider, start_payment
from tradewright.postgres.connect import Session
from tradewright.server.http.feed import Event, Feed, Marks, Place, read_place
from tradewright.trading.inquiry import find_account


def opened(session: Session, user_id: str, place: Place | None) -> Feed:
    """Open a feed that marks each time that it reads."""
    return Feed.opened(session, user_id, place, Marks())


def read_again(feed: Feed, session: Session) -> list[Event]:
    """Read, as if the last time were long ago."""
    feed.marks = replace(feed.marks, _marked_at=float("-inf"))
    return feed.read(session, 100)


def pay(session: Session, user_id: str) -> str:
    """Begin a deposit in the caller's transaction; return its id."""
    request = PaymentRequest(
        payment_id=new_id_text(),
        user_id=user_id,
        kind=PaymentKind.DEPOSIT,
        currency="USD",
        amount=Decimal(10),
        provider=Provider.CARDS,
    )
    return start_payment(session, request).id


def paid(events: list[Event]) -> list[str]:
    return [each.data["payment_id"] for each in events]


@pytest.fixture
def kim(engine: Session) -> str:
    return new_user(engine, "trader")


def test_what_commits_late_comes_after_what_was_told_and_is_not_lost(
    engine: Session, open_session: OpenSession, kim: str
) -> None:
    feed = opened(engine, kim, None)
    slow = open_session()
    slow.execute("BEGIN")
    late = pay(slow, new_user(slow, "trader"))
    mine = pay(slow, kim)
    quick = open_session()
    with quick.transaction():
        pay(quick, new_user(quick, "trader"))
    assert feed.read(engine, 100) == []
    slow.execute("COMMIT")
    assert paid(feed.read(engine, 100)) == [mine]
    assert feed.read(engine, 100) == []
    assert late != mine


def test_an_event_behind_one_that_still_runs_waits_and_keeps_its_turn(
    engine: Session, open_session: OpenSession, kim: str
) -> None:
    feed = opened(engine, kim, None)
    first, second = open_session(), open_session()
    first.execute("BEGIN")
    first.execute("SELECT txid_current()")
    with second.transaction():
        after = pay(second, kim)
    assert feed.read(engine, 100) == []
    before = pay(first, kim)
    first.execute("COMMIT")
    assert paid(feed.read(engine, 100)) == [before, after]


def test_a_feed_goes_on_from_any_event_without_gap_or_double(floor: Floor) -> None:
    account = floor.account()
    user = find_account(floor.session, account).user_id
    whole = opened(floor.session, user, None)
    with floor.engine() as engine:
        for _ in range(4):
            deal(engine, buy(account, 1000))
    with floor.session.transaction():
        pay(floor.session, user)
    events = whole.read(floor.session, 100)
    told = floor.rows("SELECT order_id::text, seq FROM order_events ORDER BY order_id, seq")
    assert [(each.data["order_id"], each.data["seq"]) for each in events[:-1]] == told
    assert events[-1].kind == "payment"
    for count, event in enumerate(events, start=1):
        resumed = opened(floor.session, user, read_place(str(event.place)))
        assert resumed.read(floor.session, 100) == events[count:]
    small = opened(floor.session, user, read_place(str(events[0].place)))
    seen = []
    while page := small.read(floor.session, 2):
        seen += page
    assert seen == events[1:]


def test_rows_that_were_written_before_a_reader_came_are_not_told(floor: Floor) -> None:
    account = floor.account()
    user = find_account(floor.session, account).user_id
    with floor.engine() as engine:
        deal(engine, buy(account, 1000))
    feed = opened(floor.session, user, None)
    assert feed.read(floor.session, 100) == []


def test_a_feed_tells_of_nobody_else(floor: Floor) -> None:
    account, other = floor.account(), floor.account()
    feed = opened(floor.session, find_account(floor.session, other).user_id, None)
    with floor.engine() as engine:
        deal(engine, buy(account, 1000))
    assert feed.read(floor.session, 100) == []


def test_a_margin_call_is_told_when_it_opens_and_when_it_is_over(floor: Floor) -> None:
    account = floor.account("1000")
    feed = opened(floor.session, find_account(floor.session, account).user_id, None)
    with floor.engine() as engine:
        deal(engine, buy(account, 20_000))
        floor.quote(engine, "EURUSD", "1.08600", "1.08610")
        floor.quote(engine, "EURUSD", "1.12000", "1.12010")
    events = [each for each in feed.read(floor.session, 100) if each.kind != "order"]
    assert [each.kind for each in events] == ["margin_call_opened", "margin_call_resolved"]
    assert {each.data["account_id"] for each in events} == {account}


def test_what_need_not_be_looked_at_again_is_not(engine: Session, kim: str) -> None:
    feed = opened(engine, kim, None)
    begun = feed.place.since
    feed.read(engine, 100)
    assert (feed.place.since - begun).total_seconds() > 60
    with engine.transaction():
        pay(engine, kim)
    assert len(feed.read(engine, 100)) == 1


def test_the_time_looked_at_stays_behind_what_still_runs(
    engine: Session, open_session: OpenSession, kim: str
) -> None:
    feed = opened(engine, kim, None)
    feed.read(engine, 100)
    slow = open_session()
    slow.execute("BEGIN")
    slow.execute("SELECT txid_current()")
    (began,) = engine.execute("SELECT clock_timestamp()").fetchone() or (None,)
    for _ in range(3):
        read_again(feed, engine)
    assert began is not None
    assert feed.place.since <= began
    slow.execute("COMMIT")
    read_again(feed, engine)
    assert feed.place.since > began


@pytest.mark.parametrize(
    "text", ["", "x", "1.1..1.1", "0a1b2c3d.1.1.%.1.1", "0a1b2c3d.-1.0..0.0", "0a1b2c3d.1.1..1.1 "]
)
def test_what_is_no_place_is_refused(text: str) -> None:
    with pytest.raises(TradewrightError) as caught:
        read_place(text)
    assert caught.value.code is ErrorCode.HTTP_REQUEST_MALFORMED


@pytest.mark.parametrize(
    "changes",
    [
        {"since": datetime(2020, 1, 1, tzinfo=UTC)},
        {"txid": 999_999_999_999},
        {"database": "00000000"},
    ],
)
def test_a_place_that_is_too_old_or_of_another_database_is_refused(
    engine: Session, kim: str, changes: dict[str, Any]
) -> None:
    here = opened(engine, kim, None).place
    assert opened(engine, kim, read_place(str(here))).place == here
    with pytest.raises(TradewrightError) as caught:
        opened(engine, kim, read_place(str(replace(here, **changes))))
    assert caught.value.code is ErrorCode.HTTP_PLACE_REFUSED
