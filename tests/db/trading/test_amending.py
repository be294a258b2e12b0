"""Stop-loss and take-profit of an open position are changed, added and removed, once per key."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from msgspec import UNSET, structs

from tests.db.trading.test_several_engines import until
from tests.floor import Floor, ask, buy, deal, refusal, sell
from tests.positions import account_of, held, ids
from tradewright.core.errors import ErrorCode
from tradewright.core.ids import new_id_text
from tradewright.postgres.refusals import translate
from tradewright.trading.amendments import AmendPosition, AmendReport, Level
from tradewright.trading.engine import Engine
from tradewright.trading.groups import PositionMode
from tradewright.trading.model import TimeInForce


def level(said: str | None) -> Level:
    """Return a level as a test writes it: "-" leaves it, None removes it."""
    return UNSET if said == "-" else None if said is None else Decimal(said)


def amendment(
    account: str, position_id: str, stop: str | None = "-", take: str | None = "-"
) -> AmendPosition:
    return AmendPosition(
        account_id=account,
        amendment_id=new_id_text(),
        position_id=position_id,
        symbol="EURUSD",
        stop_loss=level(stop),
        take_profit=level(take),
    )


def amend(engine: Engine, command: AmendPosition) -> AmendReport:
    report = ask(engine, command)
    assert isinstance(report, AmendReport)
    return report


def code_of(engine: Engine, command: AmendPosition) -> ErrorCode:
    """Return with which code an amendment is refused."""
    return refusal(lambda: ask(engine, command)).code


def levels(floor: Floor, account: str) -> list[tuple[Any, ...]]:
    """Return the stop-loss and take-profit of what is open, the oldest first."""
    return floor.rows(
        "SELECT stop_loss, take_profit FROM positions WHERE account_id = %s AND is_open"
        " ORDER BY id",
        account,
    )


@pytest.fixture
def netter(floor: Floor) -> str:
    return account_of(floor, PositionMode.NETTING)


def test_levels_are_added_moved_and_removed_and_what_is_not_named_stays(
    floor: Floor, netter: str
) -> None:
    with floor.engine(eurusd=("1.10000", "1.10010")) as engine:
        deal(engine, buy(netter))
        (position_id,) = ids(floor, netter)
        seen = []
        for stop, take in (("1.09500", "-"), ("-", "1.10500"), ("1.09900", "-"), (None, "-")):
            amend(engine, amendment(netter, position_id, stop, take))
            seen += levels(floor, netter)
    assert seen == [
        (Decimal("1.095"), None),
        (Decimal("1.095"), Decimal("1.105")),
        (Decimal("1.099"), Decimal("1.105")),
        (None, Decimal("1.105")),
    ]
    assert floor.rows(
        "SELECT position_version, sets_stop_loss, sets_take_profit, stop_loss_before, stop_loss,"
        " bid, ask FROM position_amendments ORDER BY id"
    )[2:] == [
        (1, True, False, Decimal("1.095"), Decimal("1.099"), Decimal("1.1"), Decimal("1.1001")),
        (1, True, False, Decimal("1.099"), None, None, None),
    ]
    assert floor.broken_laws() == {}


@pytest.mark.parametrize(
    ("asked", "quote", "origin"),
    [
        (("1.09900", None), ("1.09899", "1.09909"), "stop_loss"),
        ((None, "1.10200"), ("1.10200", "1.10210"), "take_profit"),
    ],
)
def test_a_level_that_was_amended_closes_the_position_and_the_old_one_does_not(
    floor: Floor,
    netter: str,
    asked: tuple[str | None, str | None],
    quote: tuple[str, str],
    origin: str,
) -> None:
    with floor.engine(eurusd=("1.10000", "1.10010")) as engine:
        deal(engine, buy(netter, stop_loss="1.09950", take_profit="1.10100"))
        (position_id,) = ids(floor, netter)
        amend(engine, amendment(netter, position_id, *asked))
        for bid, ask_price in (("1.09940", "1.09950"), ("1.10150", "1.10160")):
            floor.quote(engine, "EURUSD", bid, ask_price)
            assert floor.position(netter) == 100_000
        floor.quote(engine, "EURUSD", *quote)
    assert floor.position(netter) == 0
    assert floor.one("SELECT origin FROM orders ORDER BY id DESC LIMIT 1") == origin
    assert floor.broken_laws() == {}


def test_an_amendment_is_booked_once_under_its_key(floor: Floor, netter: str) -> None:
    with floor.engine() as engine:
        deal(engine, buy(netter))
        (position_id,) = ids(floor, netter)
        command = amendment(netter, position_id, "1.09000", "1.20000")
        first = amend(engine, command)
        amend(engine, amendment(netter, position_id, None))
        again = amend(engine, command)
        for other in (
            structs.replace(command, stop_loss=Decimal("1.08")),
            structs.replace(command, take_profit=UNSET),
            structs.replace(command, position_id=new_id_text()),
        ):
            assert code_of(engine, other) is ErrorCode.POSITION_AMENDMENT_DIFFERS
        with_noughts = structs.replace(command, stop_loss=Decimal("1.090"))
        assert amend(engine, with_noughts).is_replay
    assert (first.is_replay, again.is_replay) == (False, True)
    assert (again.stop_loss, again.take_profit) == (Decimal("1.09"), Decimal("1.2"))
    assert levels(floor, netter) == [(None, Decimal("1.2"))]
    assert floor.one("SELECT count(*) FROM position_amendments") == 2


def test_the_same_key_in_another_account_is_another_amendment(floor: Floor) -> None:
    one, other = (account_of(floor, PositionMode.NETTING) for _ in range(2))
    with floor.engine() as engine:
        key = new_id_text()
        for account in (one, other):
            deal(engine, buy(account))
            (position_id,) = ids(floor, account)
            command = amendment(account, position_id, "1.09000")
            assert not amend(engine, structs.replace(command, amendment_id=key)).is_replay
    assert levels(floor, one) == levels(floor, other) == [(Decimal("1.09"), None)]


@pytest.mark.parametrize(
    ("side", "asked", "code"),
    [
        (buy, ("1.10000", "-"), ErrorCode.ORDER_PROTECTION_ON_WRONG_SIDE),
        (buy, ("-", "1.10000"), ErrorCode.ORDER_PROTECTION_ON_WRONG_SIDE),
        (sell, ("1.10010", "-"), ErrorCode.ORDER_PROTECTION_ON_WRONG_SIDE),
        (sell, ("-", "1.10010"), ErrorCode.ORDER_PROTECTION_ON_WRONG_SIDE),
        (buy, ("1.0900001", "-"), ErrorCode.ORDER_PRICE_OFF_TICK),
        (buy, ("0", "-"), ErrorCode.ORDER_PRICE_MALFORMED),
        (buy, ("NaN", "-"), ErrorCode.ORDER_PRICE_MALFORMED),
        (buy, ("-", "-"), ErrorCode.POSITION_LEVELS_UNCHANGED),
        (buy, (None, None), ErrorCode.POSITION_LEVELS_UNCHANGED),
    ],
)
def test_a_level_that_means_nothing_is_refused_and_nothing_is_changed(
    floor: Floor, netter: str, side: Any, asked: tuple[str | None, str | None], code: ErrorCode
) -> None:
    with floor.engine(eurusd=("1.10000", "1.10010")) as engine:
        deal(engine, side(netter))
        (position_id,) = ids(floor, netter)
        error = refusal(lambda: ask(engine, amendment(netter, position_id, *asked)))
    assert error.code is code
    assert levels(floor, netter) == [(None, None)]
    assert floor.one("SELECT count(*) FROM position_amendments") == 0


def test_a_level_one_tick_off_the_price_is_taken(floor: Floor, netter: str) -> None:
    with floor.engine(eurusd=("1.10000", "1.10010")) as engine:
        deal(engine, buy(netter))
        (position_id,) = ids(floor, netter)
        amend(engine, amendment(netter, position_id, "1.09999", "1.10001"))
    assert floor.position(netter) == 100_000


def test_what_is_not_open_and_what_is_anothers_cannot_be_amended(floor: Floor, netter: str) -> None:
    other = account_of(floor, PositionMode.NETTING)
    with floor.engine() as engine:
        deal(engine, buy(netter))
        (position_id,) = ids(floor, netter)
        foreign = refusal(lambda: ask(engine, amendment(other, position_id, "1.09000")))
        deal(engine, sell(netter))
        closed = refusal(lambda: ask(engine, amendment(netter, position_id, "1.09000")))
    assert {foreign.code, closed.code} == {ErrorCode.POSITION_UNKNOWN}


def test_levels_are_held_against_the_last_price_while_the_market_is_silent(
    floor: Floor, netter: str
) -> None:
    with floor.engine(eurusd=("1.10000", "1.10010")) as engine:
        deal(engine, buy(netter))
        (position_id,) = ids(floor, netter)
        floor.now += timedelta(minutes=10)
        floor.quote(engine, "USDJPY", "150.000", "150.010")
        error = refusal(lambda: ask(engine, amendment(netter, position_id, "1.10000")))
        amend(engine, amendment(netter, position_id, "1.09999"))
    assert error.code is ErrorCode.ORDER_PROTECTION_ON_WRONG_SIDE
    assert floor.one("SELECT booked_at - quoted_at > '9 minutes' FROM position_amendments")


def test_without_any_price_levels_can_be_removed_and_none_can_be_set(
    floor: Floor, netter: str
) -> None:
    with floor.engine() as engine:
        deal(engine, buy(netter, stop_loss="1.09000"))
        (position_id,) = ids(floor, netter)
    with floor.engine(eurusd=None) as engine:
        error = refusal(lambda: ask(engine, amendment(netter, position_id, "1.08000")))
        amend(engine, amendment(netter, position_id, None))
    assert error.code is ErrorCode.ORDER_PRICE_STALE
    assert levels(floor, netter) == [(None, None)]


def test_hedging_amends_the_position_that_is_named_alone(floor: Floor) -> None:
    hedger = account_of(floor, PositionMode.HEDGING)
    with floor.engine() as engine:
        deal(engine, buy(hedger))
        deal(engine, buy(hedger))
        amend(engine, amendment(hedger, ids(floor, hedger)[1], "1.09000"))
    assert levels(floor, hedger) == [(None, None), (Decimal("1.09"), None)]


def test_fifo_amends_all_of_the_symbol_and_what_is_opened_later_stands_under_it(
    floor: Floor,
) -> None:
    account = account_of(floor, PositionMode.FIFO)
    with floor.engine(eurusd=("1.10000", "1.10010")) as engine:
        rests = buy(account, limit_price="1.09980", time_in_force=TimeInForce.GTC)
        rests = structs.replace(rests, stop_loss=Decimal("1.08"))
        deal(engine, buy(account, stop_loss="1.09000"))
        deal(engine, buy(account))
        deal(engine, rests)
        amend(engine, amendment(account, ids(floor, account)[1], "1.09500", "1.11000"))
        deal(engine, buy(account))
        floor.quote(engine, "EURUSD", "1.09970", "1.09980")
        assert floor.position(account) == 400_000
        assert levels(floor, account) == [(Decimal("1.095"), Decimal("1.11"))] * 4
        assert floor.broken_laws() == {}
        deal(engine, buy(account, stop_loss="1.09600"))
        assert levels(floor, account) == [(Decimal("1.096"), Decimal("1.11"))] * 5
        assert floor.broken_laws() == {}
        floor.quote(engine, "EURUSD", "1.09600", "1.09610")
    assert held(floor, account) == []
    assert floor.one("SELECT count(*) FROM position_amendments") == 2
    assert floor.one("SELECT count(*) FROM position_amendments WHERE is_named") == 1
    assert floor.one("SELECT count(*) FROM orders WHERE origin = 'stop_loss'") == 1


def test_an_older_order_that_fills_later_does_not_undo_an_amendment(
    floor: Floor, netter: str
) -> None:
    with floor.engine(eurusd=("1.10000", "1.10010")) as engine:
        entry = buy(netter, 1_500_000, limit_price="1.10010", time_in_force=TimeInForce.GTC)
        deal(engine, structs.replace(entry, stop_loss=Decimal("1.09")))
        assert levels(floor, netter) == [(Decimal("1.09"), None)]
        (position_id,) = ids(floor, netter)
        amend(engine, amendment(netter, position_id, "1.09900"))
        floor.quote(engine, "EURUSD", "1.09990", "1.10000")
        assert floor.position(netter) == 1_500_000
        assert levels(floor, netter) == [(Decimal("1.099"), None)]
        assert floor.broken_laws() == {}
        deal(engine, buy(netter, stop_loss="1.09500"))
    assert levels(floor, netter) == [(Decimal("1.095"), None)]
    assert floor.broken_laws() == {}


def test_a_flip_leaves_the_amendment_with_what_it_closed(floor: Floor, netter: str) -> None:
    with floor.engine() as engine:
        deal(engine, buy(netter))
        (position_id,) = ids(floor, netter)
        amend(engine, amendment(netter, position_id, "1.09000"))
        deal(engine, sell(netter, 150_000, stop_loss="1.20000"))
    assert levels(floor, netter) == [(Decimal("1.2"), None)]
    assert floor.broken_laws() == {}


def test_a_level_that_stands_otherwise_than_it_was_amended_breaks_a_law(
    floor: Floor, netter: str
) -> None:
    with floor.engine() as engine:
        deal(engine, buy(netter))
        (position_id,) = ids(floor, netter)
        amend(engine, amendment(netter, position_id, "1.09000"))
    floor.session.execute("UPDATE positions SET stop_loss = NULL WHERE is_open")
    assert set(floor.broken_laws()) == {"amended_levels_stand"}


def test_the_mark_of_an_amendment_that_is_not_recorded_is_refused(
    floor: Floor, netter: str
) -> None:
    other = account_of(floor, PositionMode.NETTING)
    with floor.engine() as engine:
        deal(engine, buy(netter))
        deal(engine, buy(other))
        amend(engine, amendment(other, ids(floor, other)[0], "1.09000"))
    for said in ("uuidv7()", "(SELECT id FROM position_amendments)"):
        with pytest.raises(psycopg.Error) as refused:
            floor.session.execute(
                f"UPDATE positions SET amended_by = {said} WHERE account_id = %s".encode(),
                (netter,),
            )
        assert translate(refused.value).code is ErrorCode.POSITION_WITHOUT_AMENDMENT


def test_another_engine_closes_at_the_level_that_was_amended(floor: Floor, netter: str) -> None:
    def is_closed() -> bool:
        floor.quote(other, "EURUSD", "1.09890", "1.09900")
        return floor.position(netter) == 0

    with floor.engine() as one, floor.engine() as other:
        deal(one, buy(netter, stop_loss="1.05000"))
        assert not is_closed()
        amend(one, amendment(netter, ids(floor, netter)[0], "1.09900"))
        until(is_closed)
    assert floor.broken_laws() == {}
