"""Processes of our own that work beside this one: started afresh, told what to do by a pipe.

A fresh start (spawn) leaves a process nothing of its parent but what it is given, so each is a
client like any other. The function that runs in it reads requests from its pipe until None comes,
and answers each one; an answer that is an error of the house is raised where it is awaited.
"""

import gc
from collections.abc import Callable
from contextlib import suppress
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Any, Generic, Self, TypeVar

from tradewright.core.errors import ErrorCode, InternalError, TradewrightError

Answer = TypeVar("Answer")

GARBAGE_THRESHOLD = 50_000
"""A batch makes thousands of values that die with it; looking for cycles among them finds none."""


class WorkProcess(Generic[Answer]):
    """A process that runs `serve(pipe, *given)`; enter it, begin, finish, leave it."""

    def __init__(self, serve: Callable[..., None], *given: object) -> None:
        context = get_context("spawn")
        self._pipe, self._theirs = context.Pipe()
        self._process = context.Process(target=serve, args=(self._theirs, *given), daemon=True)

    def __enter__(self) -> Self:
        self._process.start()
        self._theirs.close()
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):
            self._pipe.send(None)
        self._process.join()
        self._pipe.close()

    def kill(self) -> None:
        """Kill the process as a power cut would (SIGKILL), and wait for its end."""
        self._process.kill()
        self._process.join()

    def begin(self, request: object) -> None:
        """Send a request; the process works on it while this one goes on."""
        self._pipe.send(request)

    def finish(self) -> Answer:
        """Wait for the answer to what was begun.

        Raises:
            TradewrightError: what stopped the work.
            InternalError: INTERNAL_DEFECT when the process has ended without an answer.

        """
        try:
            answer: Answer | TradewrightError = self._pipe.recv()
        except EOFError:
            raise _ended() from None
        if isinstance(answer, TradewrightError):
            raise answer
        return answer


def _ended() -> InternalError:
    return InternalError(
        ErrorCode.INTERNAL_DEFECT,
        "a process of our own ended before it answered",
        why="It was killed, or it met an error that is none of the house's.",
        hint="Read what it wrote on its standard error.",
    )


def settle_garbage() -> None:
    """Look for garbage less often from now on, and never among what there is already.

    For a process that has learned what it will keep: the more it keeps, the longer a search takes.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(GARBAGE_THRESHOLD)


def serve_requests(pipe: Connection, work: Callable[[Any], object]) -> None:
    """Answer each request that arrives with `work(request)`, until None; run in the process."""
    while (request := pipe.recv()) is not None:
        try:
            pipe.send(work(request))
        except TradewrightError as error:
            pipe.send(error)
