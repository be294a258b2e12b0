"""A value that is kept: read once for all who look, and shown while it is read anew."""

import threading

import pytest

from tradewright.console import keeping
from tradewright.console.keeping import Kept


def test_what_is_kept_is_read_again_when_its_seconds_are_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = [0.0]
    monkeypatch.setattr(keeping, "monotonic_seconds", lambda: now[0])
    kept, read = Kept[int](5), iter(range(10))
    seen = []
    for now[0] in (0, 4.9, 5, 9, 10):
        seen.append(kept.get(lambda: next(read)))
    assert seen == [0, 0, 1, 1, 2]


def test_who_comes_while_it_is_read_anew_is_given_the_last_and_does_not_wait() -> None:
    kept, begun, ends = Kept[int](0), threading.Event(), threading.Event()
    assert kept.get(lambda: 1) == 1

    def slowly() -> int:
        begun.set()
        assert ends.wait(10)
        return 2

    reading = threading.Thread(target=kept.get, args=(slowly,))
    reading.start()
    assert begun.wait(10)
    assert kept.get(lambda: 3) == 1
    ends.set()
    reading.join()
    assert kept.get(lambda: 4) == 4


def test_the_first_of_all_waits_for_another_who_reads() -> None:
    kept, begun, ends = Kept[int](60), threading.Event(), threading.Event()
    seen: list[int] = []

    def slowly() -> int:
        begun.set()
        assert ends.wait(10)
        return 1

    reading = threading.Thread(target=kept.get, args=(slowly,))
    reading.start()
    assert begun.wait(10)
    waiting = threading.Thread(target=lambda: seen.append(kept.get(lambda: 2)))
    waiting.start()
    ends.set()
    reading.join()
    waiting.join()
    assert seen == [1]


def test_what_could_not_be_read_is_not_kept() -> None:
    kept = Kept[int](60)
    with pytest.raises(ZeroDivisionError):
        kept.get(lambda: 1 // 0)
    assert kept.get(lambda: 7) == 7
