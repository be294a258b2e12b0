"""Long tables in parts: so many rows at a time, and links to those before and after."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple
from urllib.parse import urlencode

from tradewright.console.model import Visit

ROWS = 50
_NUMBER_MAX = 200


class Paged(NamedTuple):
    """A part of a table; the links are queries of the same page, or None at the ends."""

    rows: Sequence[Any]
    number: int
    newer: str | None
    older: str | None

    @property
    def is_whole(self) -> bool:
        """Return whether there is no other part."""
        return self.newer is None and self.older is None


def paged(
    visit: Visit, name: str, read: Callable[[int, int], Sequence[Any]], rows_max: int = ROWS
) -> Paged:
    """Read a part of a table; `name` is the parameter that says which.

    `read` is given how many rows to read at most and how many to pass over.
    """
    number = _number(visit.word(name))
    found = read(rows_max + 1, (number - 1) * rows_max)
    has_more = len(found) > rows_max and number < _NUMBER_MAX
    return Paged(
        found[:rows_max],
        number,
        _link(visit, name, number - 1) if number > 1 else None,
        _link(visit, name, number + 1) if has_more else None,
    )


def _number(word: str | None) -> int:
    is_number = word is not None and word.isdecimal() and len(word) <= 3
    return min(max(int(word), 1), _NUMBER_MAX) if word is not None and is_number else 1


def _link(visit: Visit, name: str, number: int) -> str:
    kept = {key: value for key, value in visit.asked.items() if key not in {name, "done"} and value}
    return "?" + urlencode({**kept, name: number}) + f"#{name}"
