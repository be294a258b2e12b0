"""The command `tradewright convert`: a file of another database in PostgreSQL's words.

Exit codes: 0 everything was converted and proven, 1 something was left under a note, 2 wrong usage
or an internal error.
"""

import sys
from json import dumps
from pathlib import Path

import click

from tradewright.cli.output import refuse_to_overwrite, write_output
from tradewright.cli.rewrite_output import reported, tell


@click.command(
    "convert",
    epilog="Example: tradewright convert 006_payments.sql --from mysql --output converted.sql",
)
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--from", "origin", required=True, type=click.Choice(["mysql"]), help="Its database.")
@click.option("--output", type=click.Path(path_type=Path), help="Write to this file, not stdout.")
@click.option("--down", is_flag=True, help="Give the way back: beside the output, or alone.")
@click.option("--force", is_flag=True, help="Overwrite files that exist.")
@click.option("--json", "as_json", is_flag=True, help="Print text, notes and reasons as JSON.")
@reported
def command(file: Path, **options: object) -> None:
    """Convert FILE to PostgreSQL, keeping its comments and lines, and prove it on a server.

    What has no sure meaning stays as it is under a note that says why.
    """
    from tradewright.review.rewrite.service import convert_file  # noqa: PLC0415 - loads the server

    output = options["output"] if isinstance(options["output"], Path) else None
    back = _beside(output) if output is not None and options["down"] else None
    if not options["force"]:
        written = [path for path in (output, back) if path]
        refuse_to_overwrite(written, hint="Name another file, or give --force.")
    done = convert_file(file)
    if options["as_json"]:
        click.echo(dumps({"from": options["origin"], **done.as_dict()}, indent=2))
    elif output is None:
        click.echo((done.down or "") if options["down"] else done.text, nl=False)
    if output is not None:
        write_output(output, done.text)
    if back is not None and done.down is not None:
        write_output(back, done.down)
    if not options["as_json"]:
        tell("not converted", done.unconverted)
        tell("withdrawn", done.withdrawn)
        tell("note", done.notes)
    sys.exit(1 if done.unconverted or done.withdrawn else 0)


def _beside(output: Path) -> Path:
    """Return where the down of an output belongs."""
    return output.with_name(f"{output.name.removesuffix('.sql').removesuffix('.up')}.down.sql")
