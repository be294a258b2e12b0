"""`tradewright doctor`: whether a house is in order, and what to do where it is not.

Exit codes: 0 nothing failed, 1 a check found a failure, 2 wrong usage.
"""

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict

import click
from rich.markup import escape
from rich.table import Table

from tradewright import migrate
from tradewright.cli import options
from tradewright.cli.terminal import standard_console
from tradewright.migrate import upkeep
from tradewright.operations.doctor import CHECKS, Check, Examined, Ground, Verdict, examine, worst
from tradewright.postgres.connect import PATIENT_LIMITS, connect
from tradewright.postgres.target import open_database

_SHOWN = {
    Verdict.OK: "[green]ok[/]",
    Verdict.WARNING: "[yellow]warning[/]",
    Verdict.FAILURE: "[red]failure[/]",
    Verdict.UNKNOWN: "[cyan]unknown[/]",
}


@click.command("doctor", epilog=options.example("tradewright doctor --laws"))
@click.option("--laws", is_flag=True, help="Check the laws too, and whatever else reads all rows.")
@click.option("--drift", is_flag=True, help="Compare the schema with a scratch server's too.")
@click.option("--only", "names", multiple=True, metavar="CHECK", help="Make this check only.")
@options.with_database
def command(asked: options.Asked, *, laws: bool, drift: bool, names: Sequence[str]) -> None:
    """Look whether the house is in order; exit 1 when a check finds a failure.

    Nothing is changed. What the role may not see is told as unknown.
    """
    drift = drift or "schema_drift" in names
    chosen = _chosen(names, laws=laws, drift=drift)
    with open_database(asked.url, asked.keep, makes=False) as database:
        target = migrate.Target(conninfo=database.conninfo, schema=asked.schema)
        migrations = migrate.find_migrations(migrate.our_migrations())
        with connect(
            database.conninfo, schema=asked.schema, autocommit=True, limits=PATIENT_LIMITS
        ) as session:
            ground = Ground(
                session=session,
                versions=lambda: [
                    (each.name, each.state.value) for each in migrate.status(target, migrations)
                ],
                differences=lambda: [
                    each.render() for each in upkeep.find_drift(target, migrations)
                ],
            )
            examined = examine(ground, chosen)
    _print(asked, examined)
    sys.exit(1 if worst(examined) is Verdict.FAILURE else 0)


def _chosen(names: Sequence[str], *, laws: bool, drift: bool) -> list[Check]:
    """Return the checks to be made; those that read all rows, or a scratch server, if asked for."""
    unknown = set(names) - {check.name for check in CHECKS}
    if unknown:
        known = ", ".join(sorted(check.name for check in CHECKS))
        raise click.UsageError(f'there is no check "{min(unknown)}"; there are {known}')
    if names:
        return [check for check in CHECKS if check.name in names]
    left_out = set() if drift else {"schema_drift"}
    return [c for c in CHECKS if (laws or not c.reads_all) and c.name not in left_out]


def _print(asked: options.Asked, examined: Sequence[Examined]) -> None:
    if asked.as_json:
        rows = [{"check": one.check.name, **asdict(one.finding)} for one in examined]
        click.echo(json.dumps(rows))
        return
    table = Table("check", "verdict", "what was found")
    for one in examined:
        found = one.finding
        lines = [found.what]
        lines += [f"why: {found.why}"] if found.why else []
        lines += [f"hint: {found.hint}"] if found.hint else []
        table.add_row(one.check.name, _SHOWN[found.verdict], escape("\n".join(lines)))
    standard_console().print(table)
    counts = [
        f"{sum(one.finding.verdict is verdict for one in examined)} {verdict}"
        for verdict in Verdict
    ]
    click.echo(", ".join(counts))
