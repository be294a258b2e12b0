"""What commands that change something share: who and why, how many, and a number."""

from decimal import Decimal, InvalidOperation
from typing import Any

import click


def said(_ctx: click.Context, _param: click.Parameter, value: str) -> str:
    """Return what was said, unless that is nothing."""
    if not value.strip():
        raise click.BadParameter("say it in words")
    return value


ACTOR = click.option(
    "--actor", required=True, callback=said, help="Who does it; kept in the audit trail."
)
REASON = click.option("--reason", required=True, callback=said, help="Why; it is kept.")
COUNT = click.IntRange(1, 1_000_000)
"""How many are shown or done at most."""
SECONDS = click.IntRange(1, 86_400)
LAST = click.option("--last", default=50, show_default=True, type=COUNT, help="At most so many.")
PORT = click.IntRange(0, 65_535)
"""A port to listen on; 0 is a free one."""


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
