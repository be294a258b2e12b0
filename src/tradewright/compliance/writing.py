"""Write a report as CSV or JSON, row by row as it is read.

Times are UTC to the microsecond as RTS 24 (Delegated Regulation (EU) 2017/580, annex, table 1)
writes them, YYYY-MM-DDThh:mm:ss.ddddddZ. Amounts are exact decimals without an exponent; in JSON
they are texts, because a reader's library would make floats of them. What is not recorded is empty.

In CSV no text is a formula (`core.csv_rows`); in JSON each is as it is.
"""

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TextIO

from tradewright.compliance.model import Findings, Report
from tradewright.core.csv_rows import write_rows


def write_csv(report: Report, found: Findings, to: TextIO) -> int:
    """Write the head as lines that begin with #, then the columns and rows; return how many."""
    to.writelines(f"# {name}: {_line(fact)}\n" for name, fact in found.facts.items())
    return write_rows(to, report.columns, found.rows, _cell)


def write_json(report: Report, found: Findings, to: TextIO) -> int:
    """Write one object of the head and the rows, a row to a line; return how many."""
    to.write(f'{{"facts": {json.dumps(_plain(found.facts))},\n"rows": [')
    count = 0
    for row in found.rows:
        named = dict(zip(report.columns, row, strict=True))
        to.write(f"{',' if count else ''}\n{json.dumps(_plain(named))}")
        count += 1
    to.write("\n]}\n")
    return count


def shown(fact: object) -> str:
    """Return a fact as it is written in a cell."""
    return _cell(fact)


def _line(fact: object) -> str:
    """Return a fact of the head on one line, whatever a name in it holds."""
    cell = _cell(fact)
    return cell if cell.isprintable() else json.dumps(cell)


def _cell(fact: object) -> str:
    plain = _plain(fact)
    if plain is None:
        return ""
    return plain if isinstance(plain, str) else json.dumps(plain)


def _plain(fact: object) -> object:
    """Return a fact of texts, whole numbers and what is made of them."""
    if isinstance(fact, Decimal):
        return _exact(fact) if fact.is_finite() else str(fact)
    if isinstance(fact, datetime):
        return f"{fact.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}Z"
    if isinstance(fact, Mapping):
        return {str(name): _plain(one) for name, one in fact.items()}
    if isinstance(fact, list | tuple):
        return [_plain(one) for one in fact]
    if fact is None or isinstance(fact, bool | int):
        return fact
    return fact.isoformat() if isinstance(fact, date) else str(fact)


def _exact(amount: Decimal) -> str:
    """Return an amount with all its digits and no zeros behind the last; zero has no sign."""
    text = f"{amount:f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text
