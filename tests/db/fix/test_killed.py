"""The process of the house or of the provider is killed at any moment: nothing lost or doubled."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.fix_floor import FixFloor, theirs, until
from tests.floor import buy
from tradewright.liquidity.fix.acceptor import FixAcceptor
from tradewright.liquidity.fix.acceptor_faults import Fault
from tradewright.liquidity.fix.acceptor_files import Deals
from tradewright.postgres.connect import Session

HOUSE = Path(__file__).with_name("house_process.py")
FAULTS = [Fault.NONE, Fault.PIECES, Fault.SILENT, Fault.GAP, Fault.PARTIAL, Fault.REJECT]


@contextmanager
def process(*words: str) -> Iterator["subprocess.Popen[str]"]:
    """Run a process of our own; kill it at the end, whatever it is doing."""
    started = subprocess.Popen(
        words,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    try:
        yield started
    finally:
        started.send_signal(signal.SIGKILL)
        started.wait(30)
        if started.stdout is not None:
            started.stdout.close()


def provider_process(stage: FixFloor) -> Any:
    """Run the provider as a process on the stage's ports."""
    words = ["-m", "tradewright", "providers", "simulate", str(stage.folder), "--json"]
    words += ["--price", "EURUSD=1.10000/1.10010"]
    words += [word for fault in stage.temper.faults for word in ("--fault", str(fault))]
    words += ["--port", str(stage.ports[0]), "--quotes-port", str(stage.ports[1])]
    return process(sys.executable, *words)


def house_process(stage: FixFloor) -> Any:
    """Run an engine that submits orders as fast as it can."""
    orders, quotes = stage.ports
    words = [stage.conninfo, stage.account, str(orders), str(quotes)]
    return process(sys.executable, str(HOUSE), *words)


def is_asked(acceptor: FixAcceptor, wanted: int) -> bool:
    return acceptor.asked_count >= wanted


def first_line(started: "subprocess.Popen[str]") -> str:
    assert started.stdout is not None
    return started.stdout.readline()


def test_killing_the_house_loses_and_doubles_nothing(
    engine_database: str, engine: Session, tmp_path: Path
) -> None:
    stage = FixFloor.opened(engine_database, engine, tmp_path, FAULTS)
    with stage.provider() as acceptor:
        for wanted in (5, 15, 25):
            with house_process(stage) as house:
                assert first_line(house)
                until(partial(is_asked, acceptor, wanted), seconds=60)
        with stage.engine(with_price=False) as running:
            until(lambda: running.market.top("EURUSD") is not None)
            stage.settle(running)
        assert theirs(acceptor) == stage.ours()
        assert acceptor.asked_count >= 25
    assert stage.aside() == []
    assert stage.floor.broken_laws() == {}


def test_killing_the_provider_loses_and_doubles_nothing(
    engine_database: str, engine: Session, tmp_path: Path
) -> None:
    stage = FixFloor.opened(engine_database, engine, tmp_path, FAULTS)
    with stage.provider():
        pass  # finds two free ports
    with provider_process(stage) as provider:
        assert "orders_port" in json.loads(first_line(provider))
        manager = stage.engine()
        running = manager.__enter__()
    for wanted in (5, 15, 25):
        with provider_process(stage) as provider:
            assert first_line(provider)
            until(lambda: running.market.top("EURUSD") is not None)
            while len(Deals(tmp_path / "deals.jsonl").reports) < wanted:
                running.submit(buy(stage.account, 10_000)).result(timeout=30)
    with stage.provider() as acceptor:
        until(lambda: running.market.top("EURUSD") is not None)
        stage.settle(running)
        manager.__exit__(None, None, None)
        assert theirs(acceptor) == stage.ours()
    assert stage.aside() == []
    assert stage.floor.broken_laws() == {}


@pytest.mark.parametrize("before", [1, 3])
def test_a_provider_that_was_away_while_we_were_too_is_asked_what_became_of_the_order(
    engine_database: str, engine: Session, tmp_path: Path, before: int
) -> None:
    """The provider has dealt and told nobody; both are gone, and both come back."""
    stage = FixFloor.opened(engine_database, engine, tmp_path, [Fault.SILENT])
    with stage.both() as (acceptor, running):
        for _ in range(before):
            running.submit(buy(stage.account, 10_000)).result(timeout=30)
        until(lambda: acceptor.asked_count == before)
    with stage.both() as (acceptor, running):
        stage.settle(running)
        assert theirs(acceptor) == stage.ours()
        assert acceptor.asked_count == before
    assert stage.orders() == [("filled", 10_000)] * before
    assert stage.floor.broken_laws() == {}
