"""Write CSV for people: rows whose cells no spreadsheet computes (decision 072).

A spreadsheet takes a cell for a formula that begins with =, +, - or @. Numbers are numbers; a text
that begins so, or with an apostrophe, stands behind an apostrophe. Files for programs of providers
are written where their form is known, as their readers take no apostrophe off.
"""

import csv
from collections.abc import Callable, Iterable, Sequence
from typing import TextIO

_FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r", "\n", "'")
"""What a text may not begin with in a cell of CSV."""


def write_rows(
    to: TextIO,
    columns: Sequence[str],
    rows: Iterable[Sequence[object]],
    cell: Callable[[object], str],
) -> int:
    """Write columns and rows, each fact as `cell` writes it; return how many rows."""
    writer = csv.writer(to, lineterminator="\n")
    writer.writerow(columns)
    count = 0
    for row in rows:
        writer.writerow([_inert(one, cell(one)) for one in row])
        count += 1
    return count


def _inert(fact: object, cell: str) -> str:
    return f"'{cell}" if isinstance(fact, str) and cell.startswith(_FORMULA_SIGNS) else cell
