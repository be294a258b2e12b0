"""One writer process of the ledger's benchmark: it books batch after batch over its wallets.

What it books is drawn by a thread of its own while the writer waits for the server, as commands
come in while the batch before them is booked.
"""

import gc
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from multiprocessing.connection import Connection
from random import Random

from tradewright.core.clock import monotonic_seconds
from tradewright.core.errors import ErrorCode, InternalError
from tradewright.core.ids import new_id_text
from tradewright.core.processes import serve_requests
from tradewright.ledger import HouseCode, Movement, house_holder_ids, post_movements
from tradewright.postgres.pipeline import Pipeline
from tradewright.wiring import House

GARBAGE_THRESHOLD = 50_000
_AMOUNTS = [Decimal(cents) / 100 for cents in range(1, 2_000, 37)]


@dataclass(frozen=True, slots=True)
class BatchRequest:
    """Book batches of `size` movements for `seconds`."""

    seconds: int
    size: int


@dataclass(frozen=True, slots=True)
class BatchesDone:
    """The seconds that each batch took, from asking to its commit, and the time they took all."""

    latencies: list[float]
    seconds: float


def serve_batches(pipe: Connection, conninfo: str, wallets: Sequence[str], number: int) -> None:
    """Run in the process: book for each request that arrives, until None."""
    gc.freeze()
    gc.set_threshold(GARBAGE_THRESHOLD)
    random = Random(number)  # noqa: S311 (a load, not a secret)
    with (
        ThreadPoolExecutor(1) as drawing,
        House(conninfo, None).session(writer=True, autocommit=True) as session,
    ):
        pipeline = Pipeline(session)
        clearing = house_holder_ids(session, "USD")[HouseCode.CLEARING]

        def book_for(request: BatchRequest) -> BatchesDone:
            draw = partial(_movements, random, wallets, clearing, request.size)
            return _book_for(pipeline, request.seconds, _drawn_aside(drawing, draw))

        serve_requests(pipe, book_for)


def _book_for(pipeline: Pipeline, seconds: int, batches: Iterator[list[Movement]]) -> BatchesDone:
    begun = last = monotonic_seconds()
    latencies = []
    while last < begun + seconds:
        with pipeline.transaction():
            results = post_movements(pipeline, next(batches))
        _require_done(sum(result.error is not None for result in results))
        latencies.append(monotonic_seconds() - last)
        last += latencies[-1]
    return BatchesDone(latencies, last - begun)


def _drawn_aside(drawing: Executor, draw: Callable[[], list[Movement]]) -> Iterator[list[Movement]]:
    """Yield one batch after the other; the next is drawn while the one before is booked."""
    coming = drawing.submit(draw)
    while True:
        drawn, coming = coming.result(), drawing.submit(draw)
        yield drawn


def _movements(random: Random, wallets: Sequence[str], clearing: str, size: int) -> list[Movement]:
    """Draw movements: four in five credit a wallet, one debits it."""
    drawn = []
    debits = random.choices((True, False), (1, 4), k=size)
    amounts = random.choices(_AMOUNTS, k=size)
    for wallet, is_debit, amount in zip(
        random.choices(wallets, k=size), debits, amounts, strict=True
    ):
        drawn.append(
            Movement(
                transaction_id=new_id_text(),
                operation="debit" if is_debit else "credit",
                debit_id=wallet if is_debit else clearing,
                credit_id=clearing if is_debit else wallet,
                currency="USD",
                amount=amount,
            )
        )
    return drawn


def _require_done(refused: int) -> None:
    if refused:
        raise InternalError(
            ErrorCode.INTERNAL_DEFECT,
            f"{refused} movements of the benchmark were refused",
            why="Its wallets are rich.",
            hint="Report this.",
        )
