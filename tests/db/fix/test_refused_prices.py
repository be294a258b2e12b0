"""Symbols whose prices a provider refuses, on real sockets: asked for again, and told to people."""

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path

import pytest

from tests.fix_floor import PRICE, FixFloor, until
from tradewright.liquidity.fix.acceptor import FixAcceptor
from tradewright.liquidity.fix.acceptor_faults import Temper
from tradewright.liquidity.fix.acceptor_quotes import Price
from tradewright.liquidity.fix.gateway import FixGateway
from tradewright.postgres.connect import Session
from tradewright.trading.engine import Engine

POUND = Price(Decimal("1.30000"), Decimal("1.30010"))


@pytest.fixture
def stage(engine_database: str, engine: Session, tmp_path: Path) -> FixFloor:
    return FixFloor.opened(engine_database, engine, tmp_path)


@contextmanager
def without_pounds(stage: FixFloor) -> Iterator[tuple[FixAcceptor, FixGateway, Engine]]:
    """Run an engine that wants a symbol of which its provider knows nothing."""
    with stage.provider() as acceptor:
        stage.prices = {"EURUSD": PRICE, "GBPUSD": POUND}
        gateway = stage.gateway()
        with stage.engine(gateway) as running:
            yield acceptor, gateway, running


def alerts(stage: FixFloor) -> list[tuple[object, ...]]:
    return stage.floor.rows(
        "SELECT severity, about, what, resolved_at IS NOT NULL FROM alerts"
        " WHERE kind = 'symbol_refused' ORDER BY id"
    )


def test_a_refused_symbol_is_asked_for_again_without_another_logon(stage: FixFloor) -> None:
    with without_pounds(stage) as (acceptor, _, running):
        assert running.market.top("GBPUSD") is None
        acceptor.set_price("GBPUSD", POUND)
        until(lambda: running.market.top("GBPUSD") is not None, seconds=20)


def test_one_unknown_symbol_keeps_no_other_from_being_quoted(stage: FixFloor) -> None:
    stage.temper = Temper(rejects_whole=True)
    with without_pounds(stage) as (_, _, running):
        assert running.market.top("EURUSD") is not None


def test_when_what_is_traded_changes_it_is_asked_for_at_once(stage: FixFloor) -> None:
    with without_pounds(stage) as (acceptor, gateway, running):
        until(lambda: alerts(stage))  # the next pause is eight seconds
        acceptor.set_price("GBPUSD", POUND)
        gateway.follow(["EURUSD", "GBPUSD"])
        until(lambda: running.market.top("GBPUSD") is not None, seconds=3)
        until(lambda: alerts(stage)[0][3])
    what = "provider LP-ONE keeps refusing the prices of GBPUSD: unknown symbol GBPUSD"
    assert alerts(stage) == [("warning", "LP-ONE GBPUSD", what, True)]


def test_what_people_were_told_before_a_start_is_over_with_the_first_price(
    stage: FixFloor,
) -> None:
    with without_pounds(stage):
        until(lambda: alerts(stage))
    with stage.provider(), stage.engine():
        until(lambda: alerts(stage)[0][3])
    assert len(alerts(stage)) == 1


def test_of_what_is_not_listed_nobody_is_told(stage: FixFloor) -> None:
    with stage.provider():
        stage.prices = {"EURUSD": PRICE, "EURCHF": PRICE, "GBPUSD": POUND}
        with stage.engine():
            until(lambda: alerts(stage))
    assert [about for _, about, _, _ in alerts(stage)] == ["LP-ONE GBPUSD"]
