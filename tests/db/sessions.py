"""Real sessions side by side: each piece of work runs in a thread with a session of its own."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TypeVar

from tests.conftest import OpenSession
from tradewright.core.errors import TradewrightError
from tradewright.postgres.connect import Session

Result = TypeVar("Result")


def at_once(
    open_session: OpenSession, works: Sequence[Callable[[Session], Result]]
) -> list[Result | TradewrightError]:
    """Run all works at the same time; return what each returned, or the house's error it met."""
    start = Barrier(len(works))
    sessions = [open_session() for _ in works]

    def run(session: Session, work: Callable[[Session], Result]) -> Result | TradewrightError:
        start.wait(timeout=30)
        try:
            return work(session)
        except TradewrightError as error:
            return error

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(run, sessions, works))
