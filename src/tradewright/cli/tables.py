"""How commands print what they found: tables for a person, JSON for a program."""

import json
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import click
from rich.markup import escape
from rich.table import Table

from tradewright.cli import options
from tradewright.cli.terminal import standard_console


def print_facts(asked: options.Asked, facts: dict[str, Any]) -> None:
    """Print what is known of one thing: a name and a fact a line, or one JSON object."""
    if asked.as_json:
        click.echo(json_text(facts))
        return
    table = Table(show_header=False)
    for name, fact in facts.items():
        if fact not in (None, [], {}):
            table.add_row(name.replace("_", " "), escape(plain_text(fact)))
    standard_console().print(table)


def print_rows(
    asked: options.Asked, rows: Sequence[dict[str, Any]], columns: Sequence[str]
) -> None:
    """Print some columns of rows as a table, or all of them as JSON."""
    if asked.as_json:
        click.echo(json_text(rows))
        return
    table = Table(*(name.replace("_", " ") for name in columns))
    for row in rows:
        table.add_row(*(escape(plain_text(row[name])) for name in columns))
    standard_console().print(table)


def count_of(number: int, noun: str) -> str:
    """Return a number of things in words: `1 row`, `2 rows`, `12,000 entries`."""
    several = f"{noun.removesuffix('y')}ies" if noun.endswith("y") else f"{noun}s"
    return f"{number:,} {noun if number == 1 else several}"


def verb_of(number: int, verb: str) -> str:
    """Return a verb as it goes with a number of things: `1 holds`, `2 hold`."""
    return f"{verb}s" if number == 1 else verb


def json_text(facts: object) -> str:
    """Return facts as JSON: amounts as texts without exponents, times with all their digits."""
    return json.dumps(facts, default=_for_programs)


def _for_programs(fact: object) -> str:
    return str(fact) if isinstance(fact, datetime) else _as_text(fact)


def plain_text(fact: object) -> str:
    """Return a fact as a cell of a table or a file: amounts without exponents, nothing as empty."""
    if isinstance(fact, (dict, list)):
        return json_text(fact)
    return "" if fact is None else _as_text(fact)


def _as_text(fact: object) -> str:
    """Write amounts without exponents, times to the second, and everything else as itself."""
    if isinstance(fact, Decimal):
        return f"{fact.normalize():f}"
    if isinstance(fact, datetime):
        return f"{fact:%Y-%m-%d %H:%M:%S}"
    if isinstance(fact, timedelta):
        return str(timedelta(seconds=int(fact.total_seconds())))
    return fact.isoformat() if isinstance(fact, date) else str(fact)
