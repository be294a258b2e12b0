"""A simulated provider for the tests that speak to it over a socket."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fix_floor import PRICE
from tradewright.liquidity.fix.acceptor import FixAcceptor
from tradewright.liquidity.fix.acceptor_faults import Temper


@pytest.fixture
def acceptor(tmp_path: Path) -> Iterator[FixAcceptor]:
    """Let a provider listen."""
    listening = FixAcceptor(tmp_path, {"EURUSD": PRICE}, Temper())
    listening.start()
    yield listening
    listening.stop()
