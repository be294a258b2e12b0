"""How commands that work until they are told to stop are told."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event


@contextmanager
def until_signal() -> Iterator[Event]:
    """Give an event that the first SIGTERM or SIGINT sets; the second does what it always does."""
    stopping = Event()
    asked_by = (signal.SIGTERM, signal.SIGINT)
    before = {one: signal.getsignal(one) for one in asked_by}

    def stop(*_: object) -> None:
        stopping.set()
        for one, usual in before.items():
            signal.signal(one, usual)

    for one in asked_by:
        signal.signal(one, stop)
    try:
        yield stopping
    finally:
        for one, usual in before.items():
            signal.signal(one, usual)


@contextmanager
def ended_by_sigterm() -> Iterator[None]:
    """Let SIGTERM end the command as an error would, so that what it has begun is taken away.

    So does SIGHUP, of a terminal that was closed, unless who called it has said otherwise (nohup).
    """

    def leave(number: int, _: object) -> None:
        raise SystemExit(128 + number)

    asked_by = (signal.SIGTERM, signal.SIGHUP)
    usual = {one: signal.getsignal(one) for one in asked_by}
    heard = [one for one, before in usual.items() if before is not signal.SIG_IGN]
    for one in heard:
        signal.signal(one, leave)
    try:
        yield
    finally:
        for one in heard:
            signal.signal(one, usual[one])
