"""How far a day has come, kept beside the database and outside of it.

The folder of a kept day holds `day.json` (what was asked for, and the last turn that ended) and
`acknowledged.log` (the key of every order that the engine has answered). The log is what a client
would know: after a crash each of its orders must be found in the database.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypedDict

from tradewright.core.errors import ErrorCode, InputError, StateError
from tradewright.demo.model import DayOptions

_DAY_FILE = "day.json"
_LOG_FILE = "acknowledged.log"


class _Asked(TypedDict):
    quotes: str | None
    traders: int
    orders: int
    seed: int


class _Day(TypedDict):
    asked: _Asked
    turns_done: int
    is_finished: bool


class Progress(Protocol):
    """Where a day notes how far it has come: a folder, or nowhere."""

    turns_done: int

    def acknowledge(self, keys: Iterable[str]) -> None:
        """Note the keys of orders that the engine has answered."""
        ...

    def end_turn(self, turn: int) -> None:
        """Note that everything up to and including `turn` has been answered."""
        ...

    def finish(self) -> None:
        """Note that the day has ended."""
        ...

    def acknowledged(self) -> frozenset[str]:
        """Return every key that was noted, in this run or before."""
        ...


class Unkept:
    """Progress of a day that nobody will resume: remembered only while it runs."""

    turns_done = 0

    def __init__(self) -> None:
        self._keys: set[str] = set()

    def acknowledge(self, keys: Iterable[str]) -> None:
        """Remember keys."""
        self._keys.update(keys)

    def end_turn(self, turn: int) -> None:
        """Do nothing."""

    def finish(self) -> None:
        """Do nothing."""

    def acknowledged(self) -> frozenset[str]:
        """Return the keys of this run."""
        return frozenset(self._keys)


@dataclass(slots=True)
class Kept:
    """Progress of a day in a folder that survives the process."""

    folder: Path
    turns_done: int
    _asked: _Asked

    def acknowledge(self, keys: Iterable[str]) -> None:
        """Append keys to the log; the operating system has them when this returns."""
        lines = "".join(f"{key}\n" for key in keys)
        if lines:
            with (self.folder / _LOG_FILE).open("a", encoding="utf-8") as log:
                log.write(lines)

    def end_turn(self, turn: int) -> None:
        """Replace the day's file by one that says so."""
        self._write(turn + 1, is_finished=False)

    def finish(self) -> None:
        """Replace the day's file by one that says that the day has ended."""
        self._write(self.turns_done, is_finished=True)

    def acknowledged(self) -> frozenset[str]:
        """Return every whole line of the log."""
        log = self.folder / _LOG_FILE
        text = log.read_text(encoding="utf-8") if log.exists() else ""
        return frozenset(text[: text.rfind("\n") + 1].split())

    def _write(self, turns_done: int, *, is_finished: bool) -> None:
        self.turns_done = turns_done
        draft = self.folder / f"{_DAY_FILE}.draft"
        day: _Day = {"asked": self._asked, "turns_done": turns_done, "is_finished": is_finished}
        draft.write_text(json.dumps(day), encoding="utf-8")
        draft.replace(self.folder / _DAY_FILE)


def resumed_options(options: DayOptions) -> DayOptions:
    """Return the options of the day in the folder, when one is to be resumed.

    A start on a folder whose day has not ended resumes it, whether that was asked for or not.

    Raises:
        InputError: DEMO_NOTHING_TO_RESUME.
        StateError: DEMO_DAY_FINISHED.

    """
    folder = options.keep
    day = _read(folder) if folder is not None else None
    if day is None:
        if options.resume:
            where = "without a folder" if folder is None else f'in "{folder}"'
            raise InputError(
                ErrorCode.DEMO_NOTHING_TO_RESUME,
                f"there is no day to resume {where}",
                why="A day can be resumed only in the folder in which it was kept.",
                hint="Give that folder with --keep.",
            )
        return options
    if day["is_finished"]:
        raise StateError(
            ErrorCode.DEMO_DAY_FINISHED,
            f'the day in "{folder}" has ended',
            why="Its orders are booked and its laws were checked.",
            hint="Choose another folder for a new day, or look at this one with "
            f"`tradewright audit laws --keep {folder}/server`.",
        )
    asked = day["asked"]
    quotes = asked["quotes"]
    return DayOptions(
        quotes=None if quotes is None else Path(quotes),
        traders=asked["traders"],
        orders=asked["orders"],
        seed=asked["seed"],
        keep=folder,
        resume=True,
    )


def open_progress(options: DayOptions) -> Progress:
    """Return where this day notes its progress, beginning a new day's file when it is new."""
    folder = options.keep
    if folder is None:
        return Unkept()
    day = _read(folder)
    asked: _Asked = {
        "quotes": None if options.quotes is None else str(options.quotes.resolve()),
        "traders": options.traders,
        "orders": options.orders,
        "seed": options.seed,
    }
    kept = Kept(folder, day["turns_done"] if day else 0, asked)
    if day is None:
        folder.mkdir(parents=True, exist_ok=True)
        kept.end_turn(-1)
    return kept


def _read(folder: Path) -> "_Day | None":
    file = folder / _DAY_FILE
    if not file.exists():
        return None
    day: _Day = json.loads(file.read_text(encoding="utf-8"))
    return day
