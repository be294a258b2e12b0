"""`tradewright report`: reports from the records, one command for each, as a table, CSV or JSON."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any, TextIO

import click
from rich.markup import escape
from rich.table import Table

from tradewright.cli import options
from tradewright.cli.terminal import standard_console
from tradewright.compliance import (
    REPORTS,
    Findings,
    Option,
    Report,
    Scope,
    reported,
    write_csv,
    write_json,
)
from tradewright.compliance.writing import shown

ROWS_SHOWN_MAX = 20
"""Rows of a table on a terminal; all of them are in CSV and JSON."""

_EXAMPLES = {
    "client-money": "--to 2026-01-14",
    "reconstruction": "--order 0199c1d2-7f0a-7e3b-9a51-...",
    "best-execution": "--symbol EURUSD --csv",
    "markouts": "--symbol EURUSD --csv",
    "clock-sync": "--from 2026-01-13 --to 2026-01-14",
    "order-records": "--from 2026-01-13 --to 2026-01-14 --csv --output orders.csv",
}


class Instant(click.ParamType[datetime]):
    """An instant as ISO 8601 writes it, of UTC where it names no zone."""

    name = "instant"

    def convert(self, value: Any, param: Any, ctx: Any) -> datetime:
        """Return the instant that a word says."""
        try:
            instant = datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is no instant such as 2026-01-13T08:30:00Z", param, ctx)
        return instant if instant.tzinfo else instant.replace(tzinfo=UTC)


_CSV = click.option("--csv", "as_csv", is_flag=True, help="Write CSV, the facts as comments.")
_OUTPUT = click.option(
    "--output", type=click.Path(path_type=Path, dir_okay=False), help="Write into this file."
)
_OPTIONS: dict[Option, Callable[..., Any]] = {
    Option.BEGIN: click.option("--from", "begin", type=Instant(), help="From this instant (UTC)."),
    Option.END: click.option("--to", "end", type=Instant(), help="Until before this one (UTC)."),
    Option.ACCOUNT: click.option("--account", type=click.UUID, help="Only this account."),
    Option.ORDER: click.option("--order", type=click.UUID, help="Only this order."),
    Option.PROVIDER: click.option("--provider", help="Only this liquidity provider, by its code."),
    Option.SYMBOL: click.option("--symbol", help="Only this instrument."),
}


@click.group("report", epilog=options.example("tradewright report order-records --csv"))
def command() -> None:
    """Report from the records, for supervisors and the house's own control."""


@command.command("list", epilog=options.example("tradewright report list --json"))
@options.JSON
def list_command(*, as_json: bool) -> None:
    """List the reports: what each is for, its rule, and what it takes."""
    if as_json:
        click.echo(json.dumps([_facts_of(report) for report in REPORTS.values()]))
        return
    table = Table("report", "for", "rule", "takes")
    for report in REPORTS.values():
        takes = " ".join(f"--{option}" for option in report.options)
        table.add_row(report.name, report.purpose, report.law, takes)
    standard_console().print(table)


def _facts_of(report: Report) -> dict[str, object]:
    return {
        "report": report.name,
        "for": report.purpose,
        "rule": report.law,
        "takes": list(map(str, report.options)),
        "columns": list(report.columns),
    }


def _command_of(report: Report) -> click.Command:
    """Return the command that makes a report, with the options that it takes."""

    def function(
        asked: options.Asked, *, as_csv: bool, output: Path | None, **narrowed: Any
    ) -> None:
        if as_csv and asked.as_json:
            raise click.UsageError("Give --csv or --json, not both.")
        with (
            asked.session() as session,
            reported(session, report, _scope(narrowed)) as found,
            _opened(output) as to,
        ):
            _write(report, found, to, "json" if asked.as_json else "csv" if as_csv else "")

    function.__doc__ = f"{report.purpose[0].upper()}{report.purpose[1:]}.\n\n{report.law}."
    with_all = options.with_database(function)
    for add in (_OUTPUT, _CSV, *(_OPTIONS[option] for option in reversed(report.options))):
        with_all = add(with_all)
    example = options.example(f"tradewright report {report.name} {_EXAMPLES[report.name]}")
    return click.command(report.name, epilog=example)(with_all)


def _scope(narrowed: dict[str, Any]) -> Scope:
    """Return what was asked for; ids as texts."""
    account, order = (narrowed.pop(name, None) for name in ("account", "order"))
    return Scope(
        **narrowed,
        account_id=None if account is None else str(account),
        order_id=None if order is None else str(order),
    )


@contextmanager
def _opened(output: Path | None) -> Iterator[TextIO]:
    """Give what is written to: a file, which is there when all is written, or standard output."""
    if output is None:
        yield sys.stdout
        return
    is_plain = output.is_file() or not output.exists()
    part = output.with_name(f"{output.name}.part") if is_plain else output
    try:
        with part.open("w", encoding="utf-8", newline="") as file:
            yield file
        if is_plain:
            part.replace(output)
    except OSError as error:
        raise click.UsageError(f"{output} cannot be written: {error.strerror}") from None
    finally:
        if is_plain:
            with suppress(OSError):
                part.unlink()


def _write(report: Report, found: Findings, to: TextIO, form: str) -> None:
    if form == "json":
        write_json(report, found, to)
    elif form == "csv":
        write_csv(report, found, to)
    else:
        _print(report, found, to)


def _print(report: Report, found: Findings, to: TextIO) -> None:
    """Print the head, and the first rows by the columns that fit a terminal."""
    console = standard_console()
    console.file = to
    head = Table(show_header=False)
    for name, fact in found.facts.items():
        if fact is not None:
            head.add_row(name.replace("_", " "), escape(_told(fact)))
    console.print(head)
    places = [report.columns.index(name) for name in report.shown]
    table = Table(*(name.replace("_", " ") for name in report.shown))
    rows = list(islice(found.rows, ROWS_SHOWN_MAX + 1))
    for row in rows[:ROWS_SHOWN_MAX]:
        table.add_row(*(escape(shown(row[place])) for place in places))
    console.print(table)
    if len(rows) > ROWS_SHOWN_MAX:
        console.print("next: --csv or --json, for all rows and columns")


def _told(fact: object) -> str:
    """Write a fact of several parts a part to a line."""
    if isinstance(fact, dict):
        return "\n".join(f"{name}: {shown(one)}" for name, one in fact.items())
    return shown(fact)


for _report in REPORTS.values():
    command.add_command(_command_of(_report))
