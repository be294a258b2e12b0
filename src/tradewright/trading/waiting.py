"""Who waits for a batch's answers in the engine: clients by their futures, the house by nobody."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tradewright.core.errors import TradewrightError
from tradewright.trading.batch import Answer
from tradewright.trading.model import Command, Report

if TYPE_CHECKING:
    from concurrent.futures import Future


@dataclass(frozen=True, slots=True)
class WaitingFutures:
    """The futures of a group that clients wait for."""

    futures: "Sequence[Future[Report]]"

    def resolve(self, answers: Sequence[Answer]) -> None:
        """Give each future its report or its error."""
        for future, answer in zip(self.futures, answers, strict=True):
            if not future.set_running_or_notify_cancel():
                continue
            if isinstance(answer, TradewrightError):
                future.set_exception(answer)
            else:
                future.set_result(answer)


@dataclass(frozen=True, slots=True)
class Proposed:
    """A group that the house proposed to itself: nobody waits for it, but no failure is lost."""

    commands: Sequence[Command]
    settle: Callable[[Sequence[Command], Sequence[Answer]], None]

    def resolve(self, answers: Sequence[Answer]) -> None:
        """Let the engine settle what was proposed."""
        self.settle(self.commands, answers)
