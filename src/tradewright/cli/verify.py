"""The command `tradewright verify`: the ten tests of a set of migrations, on a shadow.

Exit codes: 0 no test failed, 1 one did, 2 wrong usage or an internal error.
"""

import json
import sys
from pathlib import Path

import click

from tradewright.cli import options
from tradewright.core.errors import TradewrightError


@click.command("verify", epilog="Example: tradewright verify migrations --json")
@click.argument(
    "folder", required=False, type=click.Path(path_type=Path, file_okay=False, exists=True)
)
@click.option(
    "--rows",
    type=click.IntRange(min=100, max=10_000_000),
    default=100_000,
    show_default=True,
    help="Rows in each table when declared queries are measured.",
)
@options.JSON
def command(folder: Path | None, rows: int, as_json: bool) -> None:
    """Verify the migrations in FOLDER, or Tradewright's own, by ten tests on a scratch server."""
    try:
        sys.exit(_run(folder, rows, as_json=as_json))
    except TradewrightError as error:
        told = (
            json.dumps({"error": error.as_dict()}) if as_json else f"tradewright: {error.render()}"
        )
        click.echo(told, err=not as_json)
        sys.exit(2)


def _run(folder: Path | None, rows: int, *, as_json: bool) -> int:
    from tradewright.cli.verify_output import show  # noqa: PLC0415 - loads rich
    from tradewright.review.verify import service  # noqa: PLC0415 - loads the driver

    verification = service.verify(service.Request(folder=folder, rows=rows))
    if as_json:
        click.echo(json.dumps(verification.as_dict(), ensure_ascii=False))
    else:
        show(verification)
    return 1 if verification.failed else 0
