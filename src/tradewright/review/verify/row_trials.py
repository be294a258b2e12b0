"""Rows through an up and its down, for each file, on a copy of the shadow that keeps its rows.

The copy runs beside the shadow: before each file the tables that are new get rows, then the file
goes up, down and up again. Where made-up rows stand in a file's way, the next file begins with a
fresh copy.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import psycopg

from tradewright.core.errors import TradewrightError
from tradewright.postgres.connect import Session
from tradewright.review.prove.model import Home
from tradewright.review.prove.play import StepRefused, replay, word_of
from tradewright.review.prove.seeds import RowTrial, changed, digests, seed
from tradewright.review.prove.shadow import Shadow
from tradewright.review.prove.steps import Step
from tradewright.review.rule import Context


class RowTrials:
    """Tries every file that has a down and rows before it."""

    def __init__(self, shadow: Shadow, context: Context) -> None:
        self._shadow = shadow
        self._context = context
        self._copy: Shadow | None = None
        self._opened = ExitStack()
        self._offered = set[Home]()
        self.done: list[RowTrial] = []

    @contextmanager
    def running(self) -> Iterator["RowTrials"]:
        """Drop the copy on leaving."""
        try:
            yield self
        finally:
            self._forget_copy()

    def before_file(self, step: Step) -> None:
        """Try one file; the prover calls this before it applies the file itself."""
        try:
            with self._ready_copy().session() as session:
                seed(session, self._offered)
                self._try(session, step)
        except StepRefused as refused:
            self._untried(step, str(word_of(refused.error)))
        except (psycopg.Error, TradewrightError) as error:
            self._untried(step, str(error).partition("\n")[0])

    def _try(self, session: Session, step: Step) -> None:
        """Run up, down and up; without rows or a down, only up."""
        before = digests(session)
        filled = {home: digest for home, digest in before.items() if digest.rows}
        if filled and step.down:
            for statements in (step.up, step.down):
                replay(session, statements, self._context).finish()
            self.done.append(
                RowTrial(
                    label=step.source.label,
                    tables=len(filled),
                    rows=sum(digest.rows for digest in filled.values()),
                    changed=changed(filled, digests(session)),
                )
            )
        replay(session, step.up, self._context).finish()

    def _ready_copy(self) -> Shadow:
        if self._copy is None:
            self._copy = self._opened.enter_context(self._shadow.neighbour(copy=True))
            self._offered = set()
        return self._copy

    def _forget_copy(self) -> None:
        self._copy = None
        self._opened.close()

    def _untried(self, step: Step, why: str) -> None:
        self._forget_copy()
        self.done.append(RowTrial(label=step.source.label, tables=0, rows=0, untried=why))
