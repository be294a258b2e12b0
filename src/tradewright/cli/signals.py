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
    """Let SIGTERM end the command as an error would, so that what it has begun is taken away."""

    def leave(*_: object) -> None:
        raise SystemExit(128 + signal.SIGTERM)

    before = signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
