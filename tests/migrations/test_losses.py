"""Before a way back takes rows away, who types it is told which, and asked."""

import os
import pty
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from tradewright.migrate import PlannedFile, Target, down, find_migrations, up
from tradewright.migrate.losses import ROWS_COUNTED_MAX, Loss
from tradewright.postgres.connect import Session

Write = Callable[..., Path]
SHOP = {
    "_001_shop": "CREATE TABLE items (id int, note text); CREATE TABLE empty (id int);",
    "_001_shop__down": "DROP TABLE items, empty;",
    "_002_price": "ALTER TABLE items ADD price numeric, ADD colour text;",
    "_002_price__down": "ALTER TABLE items DROP price, DROP COLUMN IF EXISTS colour;",
}


class Stopped(Exception):  # noqa: N818 (what the test's own answer raises)
    """The answer no."""


def losses_of(target: Target, folder: Path, count: int) -> list[Loss]:
    """Ask what rolling back would take, and answer no."""
    told: list[Loss] = []

    def no(_: Sequence[PlannedFile], losses: Sequence[Loss]) -> None:
        told.extend(losses)
        raise Stopped

    with pytest.raises(Stopped):
        down(target, find_migrations(folder), count=count, before_losing=no)
    return told


@pytest.fixture
def shop(target: Target, write: Write, session: Session) -> Path:
    folder = write(**SHOP)
    up(target, find_migrations(folder))
    session.execute("INSERT INTO items SELECT n FROM generate_series(1, 3) AS n")
    return folder


def test_tables_and_columns_that_hold_rows_are_told_and_empty_ones_not(
    target: Target, shop: Path
) -> None:
    column = losses_of(target, shop, 1)
    assert column == [Loss("items", 3, False, ('"colour"', '"price"'))]
    assert losses_of(target, shop, 2) == [Loss("items", 3, False, ())]


def test_what_is_stopped_is_not_rolled_back_and_can_be_later(
    target: Target, shop: Path, session: Session
) -> None:
    losses_of(target, shop, 2)
    assert session.execute("SELECT count(price), count(*) FROM items").fetchone() == (0, 3)
    assert len(down(target, find_migrations(shop), count=2)) == 2


def test_nobody_is_asked_where_nothing_is_lost(target: Target, write: Write) -> None:
    folder = write(**SHOP)
    up(target, find_migrations(folder))

    def never(*_: object) -> None:
        pytest.fail("asked")

    assert len(down(target, find_migrations(folder), count=2, before_losing=never)) == 2


def test_what_is_emptied_and_what_is_large_is_told_about(
    target: Target, write: Write, session: Session
) -> None:
    folder = write(_001_log="CREATE TABLE log (id int);", _001_log__down="TRUNCATE log;")
    up(target, find_migrations(folder))
    session.execute("INSERT INTO log SELECT generate_series(1, %s)", (ROWS_COUNTED_MAX + 9,))
    session.execute("ANALYZE log")
    (loss,) = losses_of(target, folder, 1)
    assert (loss.table, loss.is_estimated, loss.rows) == ("log", True, ROWS_COUNTED_MAX + 9)


def on_a_terminal(target: Target, folder: Path, answer: str, *words: str) -> tuple[int, str]:
    """Type the command on a terminal and answer what it asks."""
    ours, theirs = pty.openpty()
    try:
        os.write(ours, answer.encode())
        given = ("--database", target.conninfo, "--schema", target.schema, "--dir", str(folder))
        done = subprocess.run(
            [sys.executable, "-m", "tradewright", "migrate", "down", "2", *given, *words],
            stdin=theirs,
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr
    finally:
        os.close(ours)
        os.close(theirs)


def test_the_command_asks_on_a_terminal_and_takes_no_for_an_answer(
    target: Target, shop: Path, session: Session
) -> None:
    code, told = on_a_terminal(target, shop, "n\n")
    assert code == 1
    assert "Rolling back 2 files would take away what stands in:\n  items: 3 rows\n" in told
    assert session.execute("SELECT count(*) FROM items").fetchone() == (3,)
    code, told = on_a_terminal(target, shop, "y\n")
    assert (code, told.count("rolled back")) == (0, 2)


def test_the_command_does_not_ask_who_has_said_yes(target: Target, shop: Path) -> None:
    code, told = on_a_terminal(target, shop, "", "--yes")
    assert (code, "Roll back?" in told) == (0, False)
