"""What the commands of `tradewright risk` share: options, a number, and tables."""

import json
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from tradewright.cli import options


def _said(_ctx: click.Context, _param: click.Parameter, value: str) -> str:
    if not value.strip():
        raise click.BadParameter("say it in words")
    return value


ACTOR = click.option(
    "--actor", required=True, callback=_said, help="Who does it; kept in the audit trail."
)
REASON = click.option("--reason", required=True, callback=_said, help="Why; it is kept.")
LAST = click.option(
    "--last", default=50, show_default=True, type=click.IntRange(1), help="At most so many."
)


class Number(click.ParamType[Decimal]):
    """A finite number, exact as it is written."""

    name = "number"

    def convert(self, value: Any, param: Any, ctx: Any) -> Decimal:
        """Return the number that a word says."""
        try:
            number = Decimal(value)
        except InvalidOperation:
            self.fail(f"{value!r} is not a number", param, ctx)
        if not number.is_finite():
            self.fail(f"{value!r} is not a finite number", param, ctx)
        return number


def print_rows(
    asked: options.Asked, rows: Sequence[dict[str, Any]], columns: Sequence[str]
) -> None:
    """Print facts as JSON, or some of them as a table."""
    if asked.as_json:
        click.echo(json.dumps(rows, default=str))
        return
    table = Table(*(column.replace("_", " ") for column in columns))
    for row in rows:
        table.add_row(*("" if row[one] is None else str(row[one]) for one in columns))
    Console().print(table)
