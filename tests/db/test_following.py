"""All streams of a process share one reader: each is told everything once, and none waits."""

import threading
from collections.abc import Iterator

import pytest

from tests.conftest import OpenSession
from tests.db.test_feed import paid, pay
from tests.fix_floor import until
from tests.web import key_of, new_user
from tradewright.access import identify, revoke_key
from tradewright.core.errors import ErrorCode
from tradewright.postgres.connect import Session
from tradewright.postgres.pool import open_pool
from tradewright.server.http import following
from tradewright.server.http.feed import Event, Feed, read_events
from tradewright.server.http.following import Follower, Following
from tradewright.server.http.house import HttpHouse
from tradewright.trading.standing import suspend_user


@pytest.fixture
def shared(engine_database: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Following]:
    monkeypatch.setattr(following, "POLL_SECONDS", 0.02)
    monkeypatch.setattr(following, "IDENTIFY_SECONDS", 0.02)
    with open_pool(engine_database, 2, autocommit=True) as pool:
        house = HttpHouse(pool=pool, conninfo=engine_database, line=None)
        yield Following(house)
        house.stopping.set()
        until(lambda: not running())


def running() -> int:
    return sum(each.name == "stream reader" for each in threading.enumerate())


def follower_of(session: Session, user_id: str) -> Follower:
    return Follower(identify(session, key_of(session, user_id)), lambda: None)


def ended(follower: Follower) -> ErrorCode | None:
    why = follower.take().ended
    return None if why is None else why.code


def told(follower: Follower, count: int) -> list[Event]:
    found: list[Event] = []

    def is_enough() -> bool:
        found.extend(follower.take().events)
        return len(found) >= count

    until(is_enough)
    return found


def pay_often(session: Session, user_id: str, count: int) -> list[str]:
    made = []
    for _ in range(count):
        with session.transaction():
            made.append(pay(session, user_id))
    return made


def test_who_comes_while_events_are_written_is_told_each_once_and_in_order(
    engine: Session, open_session: OpenSession, shared: Following
) -> None:
    kim, writer = new_user(engine, "trader"), open_session()
    first = Feed.opened(engine, kim, None, shared.marks).place
    made: list[str] = []
    writing = threading.Thread(target=lambda: made.extend(pay_often(writer, kim, 60)))
    writing.start()
    seen = []
    for _ in range(4):
        feed, follower = Feed(kim, first, shared.marks), follower_of(engine, kim)
        early = paid(feed.read(engine, 5))
        shared.follow(engine, follower)
        while page := paid(feed.read(engine, 5)):
            early += page
        seen.append((early, feed.place.txid, follower))
    writing.join()
    for early, read_to, follower in seen:
        late: list[Event] = []
        while len(early) + len(late) < 60:
            late += [one for one in told(follower, 1) if one.place.txid >= read_to]
        assert early + paid(late) == made
    assert running() == 1


def test_a_follower_that_takes_nothing_is_ended_and_delays_nobody(
    engine: Session, shared: Following, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "WAITING_MAX", 3)
    kim = new_user(engine, "trader")
    quick, slow = follower_of(engine, kim), follower_of(engine, kim)
    shared.follow(engine, quick)
    shared.follow(engine, slow)
    taken = []
    made = []
    for _ in range(4):
        made += pay_often(engine, kim, 1)
        taken += paid(told(quick, 1))
    assert taken == made
    handed = slow.take()
    assert handed.events == ()
    assert handed.ended is not None
    assert handed.ended.code is ErrorCode.HTTP_STREAM_TOO_SLOW
    assert ended(quick) is None


def test_one_look_at_the_database_is_for_everybody_who_follows(
    engine: Session, shared: Following, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[set[str]] = []

    def counted(session: Session, user_ids: list[str], *rest: object) -> list[Event]:
        looks.append(set(user_ids))
        return read_events(session, user_ids, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(following, "read_events", counted)
    users = [new_user(engine, "trader") for _ in range(3)]
    followers = [follower_of(engine, each) for each in (*users, *users)]
    for each in followers:
        shared.follow(engine, each)
    made = {user: pay_often(engine, user, 2) for user in users}
    for each in followers:
        assert paid(told(each, 2)) == made[each.caller.user_id]
    assert looks[-1] == set(users)
    assert running() == 1


def test_without_followers_nothing_is_read_and_the_next_begins_anew(
    engine: Session, shared: Following
) -> None:
    kim = new_user(engine, "trader")
    first = follower_of(engine, kim)
    shared.follow(engine, first)
    shared.leave(first)
    until(lambda: not running())
    pay_often(engine, kim, 1)
    second = follower_of(engine, kim)
    shared.follow(engine, second)
    made = pay_often(engine, kim, 1)
    assert paid(told(second, 1)) == made
    assert first.take().events == ()


def test_who_may_read_no_more_is_ended_and_others_go_on(engine: Session, shared: Following) -> None:
    users = [new_user(engine, "trader") for _ in range(3)]
    gone, lost, stays = (follower_of(engine, each) for each in users)
    for each in (gone, lost, stays):
        shared.follow(engine, each)
    suspend_user(engine, users[0])
    revoke_key(engine, lost.caller.key_id, actor="anna", reason="lost")
    until(lambda: gone._ended is not None and lost._ended is not None)
    assert ended(gone) is ended(lost) is ErrorCode.ACCESS_KEY_REFUSED
    made = pay_often(engine, users[2], 1)
    assert paid(told(stays, 1)) == made


def test_a_database_that_is_away_ends_everybody_and_who_comes_again_is_served(
    engine: Session, shared: Following, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> list[Event]:
        raise RuntimeError("away")

    kim = new_user(engine, "trader")
    first = follower_of(engine, kim)
    with monkeypatch.context() as away:
        away.setattr(following, "read_events", broken)
        shared.follow(engine, first)
        until(lambda: first._ended is not None)
    assert ended(first) is ErrorCode.DATABASE_UNREACHABLE
    second = follower_of(engine, kim)
    shared.follow(engine, second)
    made = pay_often(engine, kim, 1)
    assert paid(told(second, 1)) == made
