"""The engine for asyncio: `await` a command's report, with one wake-up of the loop per batch.

A future of its own for each command would wake the loop once for each; a batch answers hundreds at
once, so its answers are handed over together.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from tradewright.core.errors import TradewrightError
from tradewright.trading.batch import Answer
from tradewright.trading.engine import Engine
from tradewright.trading.model import Command, Report


class AwaitedEngine:
    """Submits to an engine from the tasks of one event loop; make it inside the loop."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._loop = asyncio.get_running_loop()
        self._answered: deque[tuple[asyncio.Future[Report], Answer]] = deque()
        self._is_waking = False

    async def submit(self, command: Command) -> Report:
        """Submit a command and wait for its report.

        Raises:
            TradewrightError: the command's own refusal, ENGINE_STOPPED or ENGINE_QUEUE_FULL.

        """
        future: asyncio.Future[Report] = self._loop.create_future()
        self._engine.submit_for(command, _Awaiting(self, future))
        return await future

    def take(self, future: "asyncio.Future[Report]", answer: Answer) -> None:
        """Take an answer in a writer's thread and wake the loop unless it is being woken."""
        self._answered.append((future, answer))
        if not self._is_waking:
            self._is_waking = True
            self._loop.call_soon_threadsafe(self._hand_over)

    def _hand_over(self) -> None:
        self._is_waking = False
        while self._answered:
            future, answer = self._answered.popleft()
            if future.done():
                continue
            if isinstance(answer, TradewrightError):
                future.set_exception(answer)
            else:
                future.set_result(answer)


@dataclass(frozen=True, slots=True)
class _Awaiting:
    """One task that waits for one command."""

    awaited: AwaitedEngine
    future: "asyncio.Future[Report]"

    def resolve(self, answers: Sequence[Answer]) -> None:
        self.awaited.take(self.future, answers[0])
