"""What one can ask of the runner: up, down, status, plan.

`up` and `down` refuse everything that can be known to be wrong before they run anything; each file
is then kept or lost as a whole, or resumed where it stopped. `status` and `plan` change nothing.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import psycopg

from tradewright.migrate.guard import Guard, guarded
from tradewright.migrate.losses import Loss, read_losses
from tradewright.migrate.model import (
    HistoryRow,
    Migration,
    MigrationStatus,
    PlannedFile,
    Step,
    Target,
)
from tradewright.migrate.rules import describe, files_to_apply, files_to_roll_back
from tradewright.migrate.runner import Observer, run_file, unobserved
from tradewright.migrate.store import Store
from tradewright.migrate.versions import Version
from tradewright.postgres.connect import connect
from tradewright.postgres.refusals import translate

OnStep = Callable[[Step], None]
"""Is told of each finished file."""

BeforeLosing = Callable[[Sequence[PlannedFile], Sequence[Loss]], None]
"""Is told before files are rolled back that would take rows away; stops it by raising."""


def up(
    target: Target,
    migrations: Sequence[Migration],
    *,
    to: Version | None = None,
    out_of_order: bool = False,
    on_step: OnStep | None = None,
) -> list[Step]:
    """Apply what is pending, lowest version first, up to and including version `to`.

    Raises:
        MigrationError: see `rules.files_to_apply`, `guard.guarded` and `runner.run_file`.

    """
    with guarded_run(target) as guard:
        history = guard.store.rows(guard.session)
        planned = files_to_apply(migrations, history, to=to, out_of_order=out_of_order)
        if planned:
            guard.store.prepare(guard.session)
        return _run(guard, planned, on_step)


def run_planned(
    target: Target,
    planned: Sequence[PlannedFile],
    observer: Observer = unobserved,
) -> None:
    """Run files that `plan` has chosen, telling `observer` of every statement."""
    with guarded_run(target) as guard:
        guard.store.prepare(guard.session)
        for file in planned:
            run_file(guard, file, observer)


def down(  # noqa: PLR0913 (what to roll back, and who is told of it)
    target: Target,
    migrations: Sequence[Migration],
    *,
    count: int = 1,
    to: Version | None = None,
    on_step: OnStep | None = None,
    before_losing: BeforeLosing | None = None,
) -> list[Step]:
    """Roll back the last `count` files, or, with `to`, all above that version (0: all).

    `before_losing` is told what holds rows and would be taken away, while no other runner can
    begin. Repeatable migrations are forgotten, so that the next `up` runs them again: they may
    have lost what they had made.

    Raises:
        MigrationError: see `rules.files_to_roll_back`, `guard.guarded` and `runner.run_file`.

    """
    with guarded_run(target) as guard:
        history = guard.store.rows(guard.session)
        planned = files_to_roll_back(migrations, history, count=count, to=to)
        if before_losing is not None:
            losses = read_losses(guard.session, guard.store, planned)
            if losses:
                before_losing(planned, losses)
        if planned:
            guard.store.forget_repeatables(guard.session)
        return _run(guard, planned, on_step)


def status(target: Target, migrations: Sequence[Migration]) -> list[MigrationStatus]:
    """Return how each version stands between file and history; changes and refuses nothing."""
    return describe(migrations, history_of(target))


def plan(
    target: Target,
    migrations: Sequence[Migration],
    *,
    to: Version | None = None,
    out_of_order: bool = False,
) -> list[PlannedFile]:
    """Return the files that `up` would run now; refuses what `up` would refuse."""
    return files_to_apply(migrations, history_of(target), to=to, out_of_order=out_of_order)


def _run(guard: Guard, planned: Sequence[PlannedFile], on_step: OnStep | None) -> list[Step]:
    steps = []
    for file in planned:
        step = run_file(guard, file)
        steps.append(step)
        if on_step is not None:
            on_step(step)
    return steps


def history_of(target: Target) -> list[HistoryRow]:
    """Read the history of the target's schema; none when it has no table yet."""
    with _translated(), connect(target.conninfo, schema=target.schema) as session:
        return Store(target.schema).rows(session)


@contextmanager
def guarded_run(target: Target) -> Iterator[Guard]:
    """Take the runner's lock, and speak of the server's errors as the house does."""
    with _translated(), guarded(target, Store(target.schema)) as guard:
        yield guard


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except psycopg.Error as error:
        raise translate(error) from error
