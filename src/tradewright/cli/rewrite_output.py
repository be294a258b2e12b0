"""What the rewriting commands print: the diff for machines, the reasons for people, errors."""

import sys
from collections.abc import Callable, Iterable, Sequence
from functools import wraps
from json import dumps
from pathlib import Path
from typing import TYPE_CHECKING, ParamSpec

import click

from tradewright.core.errors import TradewrightError

if TYPE_CHECKING:
    from tradewright.review.result import Scope
    from tradewright.review.rewrite.model import Proposal, Reason


P = ParamSpec("P")


def reported(function: Callable[P, None]) -> Callable[P, None]:
    """Tell errors of the house as the review does, and exit with 2."""

    @wraps(function)
    def inner(*args: P.args, **options: P.kwargs) -> None:
        try:
            function(*args, **options)
        except TradewrightError as error:
            if options.get("as_json"):
                click.echo(dumps({"error": error.as_dict()}))
            else:
                click.echo(f"tradewright: {error.render()}", err=True)
            sys.exit(2)

    return inner


def tell(what: str, reasons: Iterable["Reason"]) -> None:
    """Print reasons to stderr, one to a line."""
    for reason in sorted(reasons):
        place = f"{reason.path}:{reason.line}"
        click.echo(f"{what}: {place}: {reason.subject}: {reason.why}", err=True)


def fix(folder: Path, scope: "Scope", *, write: bool, as_json: bool) -> int:
    """Show the corrections of a folder, or write them; return the exit code."""
    from tradewright.review.rewrite.service import (  # noqa: PLC0415 - loads the server
        fix_folder,
        write_changes,
    )

    proposal = fix_folder(folder, scope)
    written = write_changes(folder, proposal) if write else []
    if as_json:
        told = {**proposal.as_dict(), "written": [path.as_posix() for path in written]}
        click.echo(dumps(told, indent=2))
    else:
        _show(proposal, written)
    left = proposal.unconverted or proposal.withdrawn
    return 1 if left or (proposal.changes and not write) else 0


def _show(proposal: "Proposal", written: Sequence[Path]) -> None:
    if written:
        click.echo("".join(f"written: {path}\n" for path in written), nl=False)
    else:
        click.echo(proposal.diff(), nl=False)
    tell("not rewritten", proposal.unconverted)
    tell("withdrawn", proposal.withdrawn)
    tell("note", proposal.notes)
    if not proposal.changes:
        click.echo("nothing to correct", err=True)
    elif not written:
        count = len(proposal.changes)
        files = "1 file" if count == 1 else f"{count} files"
        click.echo(f"{files} would change; write them with --fix --write", err=True)
