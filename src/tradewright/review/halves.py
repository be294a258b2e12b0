"""Reading with two processes: one judges the beginning, the other follows it and judges the rest.

What a file does to the schema must be known before the next can be judged, but following the
model costs two fifths of judging. So a child judges the first files and sends what it found, while
this process only keeps up the model there and judges the files behind them. What comes out is
what one process finds (a test compares them).
"""

import marshal
import os
import sys
import threading
from collections.abc import Sequence

from tradewright.review.hits import Found
from tradewright.review.model import Finding, Location
from tradewright.review.read import ReadStage
from tradewright.review.source.text import Source

BYTES_MIN = 100_000
"""Less text than this is read faster than a process is started."""

CHILD_SHARE = 0.8
"""The child's part of the text, with which both are done at about the same time."""


def read_in_halves(stage: ReadStage, sources: Sequence[Source]) -> list[Finding] | None:
    """Read all sources; None when it is not worth it, not possible, or the child failed.

    The stage is of no more use after None.
    """
    if not _pays(sources):
        return None
    split = _split(sources)
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        _judge_and_leave(stage, sources[:split], writer)
    os.close(writer)
    with open(reader, "rb") as pipe:  # noqa: PTH123 (a pipe has no path)
        stage.follow(sources[:split])
        stage.judge(sources[split:])
        sent = pipe.read()
    _, status = os.waitpid(child, 0)
    if status != 0:
        return None
    values = marshal.loads(sent)  # noqa: S302 (our own child wrote it)
    return stage.finish([Found(Location(*place), *rest) for place, *rest in values])


def _pays(sources: Sequence[Source]) -> bool:
    """Return whether there is enough to read, a second processor, and no thread to be lost."""
    if sys.platform != "linux" or threading.active_count() > 1:
        return False
    return len(os.sched_getaffinity(0)) > 1 and sum(len(s.data) for s in sources) >= BYTES_MIN


def _split(sources: Sequence[Source]) -> int:
    """Return how many sources the child judges."""
    left = CHILD_SHARE * sum(len(source.data) for source in sources)
    for index, source in enumerate(sources):
        left -= len(source.data)
        if left < 0:
            return index
    return len(sources)


def _judge_and_leave(stage: ReadStage, sources: Sequence[Source], writer: int) -> None:
    """Judge in the child, send what was found, and end it without any of the parent's endings."""
    failed = 1
    try:
        stage.judge(sources)
        sent = [(tuple(one.location), *one[1:]) for one in stage.found]
        with open(writer, "wb") as pipe:
            pipe.write(marshal.dumps(sent))
        failed = 0
    finally:
        os._exit(failed)
