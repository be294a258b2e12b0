"""`tradewright audit`: hold the laws, seal the record, verify it, and show the trail of a row."""

import json
import sys
from dataclasses import asdict
from pathlib import Path
from uuid import UUID

import click
from rich.table import Table

from tradewright import audit
from tradewright.cli import options
from tradewright.cli.risk_output import COUNT, LAST
from tradewright.cli.tables import count_of, json_text, print_rows, verb_of
from tradewright.cli.terminal import standard_console
from tradewright.postgres.connect import PATIENT_LIMITS


@click.group(
    "audit",
    epilog=options.example("tradewright audit laws --database postgresql://me@localhost/broker"),
)
def command() -> None:
    """Hold the laws, seal the record, verify it, and show the trail of a row."""


@command.command("laws", epilog=options.example("tradewright audit laws --json"))
@click.option(
    "--examples",
    type=click.IntRange(0, 1_000),
    default=3,
    show_default=True,
    help="Broken rows shown for each law.",
)
@options.with_database
def laws_command(asked: options.Asked, examples: int) -> None:
    """Check every law of the database; exit 1 when any is broken.

    Who has checked and what came of it is kept, where the role may write that: tradewright audit
    checks.
    """
    with asked.session(limits=PATIENT_LIMITS) as session:
        results = audit.check_and_keep_laws(session, examples_max=examples)
    if asked.as_json:
        click.echo(json_text({name: asdict(result) for name, result in results.items()}))
    else:
        _print_laws(results)
    sys.exit(1 if any(result.broken for result in results.values()) else 0)


@command.command("checks", epilog=options.example("tradewright audit checks --last 20"))
@LAST
@options.with_database
def checks_command(asked: options.Asked, last: int) -> None:
    """List when the laws were checked, by whom, and which were broken; the newest first."""
    with asked.session() as session:
        found = audit.read_law_checks(session, count_max=last)
    rows = [
        {
            "began_at": one.began_at,
            "seconds": round(one.seconds, 3),
            "actor": one.actor,
            "database_role": one.database_role,
            "laws": one.law_count,
            "broken": [name for name, result in one.results.items() if result.broken],
        }
        for one in found
    ]
    columns = ("began_at", "seconds", "actor", "database_role", "laws", "broken")
    print_rows(asked, rows, columns)


@command.command("seal", epilog=options.example("tradewright audit seal"))
@options.with_database
def seal_command(asked: options.Asked) -> None:
    """Seal the audit rows, and those of all other append-only tables, of ended transactions."""
    with asked.session(limits=PATIENT_LIMITS) as session:
        rows, records = audit.seal(session), audit.seal_records(session)
        last = {chain: audit.export_heads(session, chain=chain)[-1:] for chain in audit.Chain}
    if asked.as_json:
        facts = {"rows_sealed": rows, "records_sealed": records}
        found = [asdict(head) for heads in last.values() for head in heads]
        click.echo(json.dumps({**facts, "last_heads": found}))
    elif rows or records:
        told = {
            audit.Chain.AUDIT_LOG: f"{rows} audit rows",
            audit.Chain.RECORDS: f"{records} rows of records",
        }
        for chain, heads in last.items():
            for head in heads:
                click.echo(f"sealed {told[chain]} in seal {head.seq}, head {head.head}")
        click.echo("next: tradewright audit export FILE, onto another machine")
    else:
        click.echo("nothing to seal")


@command.command("export", epilog=options.example("tradewright audit export heads.jsonl"))
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@options.with_database
def export_command(asked: options.Asked, file: Path) -> None:
    """Add the heads that FILE does not hold yet to it, one JSON object to a line."""
    known = audit.read_heads(file.read_text().splitlines()) if file.exists() else []
    with asked.session() as session:
        new = audit.new_heads(session, known)
    with file.open("a") as handle:
        handle.writelines(f"{head.as_line()}\n" for head in new)
    if asked.as_json:
        click.echo(json.dumps({"heads_added": len(new), "heads": len(known) + len(new)}))
    else:
        click.echo(f"added {len(new)} heads to {file}")


@command.command("verify", epilog=options.example("tradewright audit verify --heads heads.jsonl"))
@click.option(
    "--heads",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="Heads that were exported before; without them a removed last seal is not noticed.",
)
@options.with_database
def verify_command(asked: options.Asked, heads: Path | None) -> None:
    """Verify every seal; exit 1 and name the first that does not hold."""
    exported = audit.read_heads(heads.read_text().splitlines()) if heads else []
    with asked.session(limits=PATIENT_LIMITS) as session:
        found = audit.verify(session, exported)
        records = audit.verify_records(session, exported)
    is_good = found.is_good and records.is_good
    if asked.as_json:
        facts = {**asdict(found), "is_good": is_good, "records": asdict(records)}
        click.echo(json.dumps(facts))
    else:
        _print_verified(found, records)
    sys.exit(0 if is_good else 1)


@command.command(
    "show", epilog=options.example("tradewright audit show 0199c1d2-7f0a-7e3b-9a51-...")
)
@click.argument("row_id", type=click.UUID)
@click.option(
    "--last",
    type=COUNT,
    default=1000,
    show_default=True,
    help="Show at most so many entries.",
)
@options.with_database
def show_command(asked: options.Asked, row_id: UUID, last: int) -> None:
    """Show what was recorded of a row, an order, a payment or a holder, oldest first."""
    with asked.session() as session:
        trail = audit.read_trail(session, str(row_id), entries_max=last)
    if asked.as_json:
        click.echo(json_text([asdict(entry) for entry in trail]))
        return
    if not trail:
        click.echo(f"nothing is recorded under the id {row_id}")
        return
    table = Table("when (UTC)", "record", "what", "by", "why", "values")
    for entry in trail:
        values = json_text(entry.details)
        when = f"{entry.occurred_at:%Y-%m-%d %H:%M:%S.%f}"
        by, why = entry.actor or "", entry.reason or ""
        table.add_row(when, entry.source, entry.action, by, why, values)
    standard_console().print(table)
    for month in audit.archived_months(trail):
        click.echo(f"changes of {month} are archived; next: tradewright archive restore {month}")


def _print_verified(found: audit.Verification, records: audit.RecordVerification) -> None:
    if found.is_good:
        click.echo(
            f"{count_of(found.seals, 'seal')} over {count_of(found.rows_sealed, 'audit row')} "
            f"{verb_of(found.seals, 'hold')}; {count_of(found.rows_unsealed, 'row')} "
            f"{verb_of(found.rows_unsealed, 'wait')} for a seal"
        )
    else:
        click.echo(f"seal {found.first_bad_seq} does not hold: {found.reason}")
    if records.fault is None:
        told = f"{count_of(records.seals, 'seal')} over {count_of(records.rows_sealed, 'row')}"
        click.echo(f"{told} of records {verb_of(records.seals, 'hold')}")
        return
    click.echo(f"{records.fault.place}: {records.fault.reason}")
    click.echo(
        f"seal {records.fault.seq} of the records is the first that does not hold;"
        f" {records.faults} things in all do not"
    )


def _print_laws(results: dict[str, audit.LawResult]) -> None:
    table = Table("law", "checked", "broken", "examples")
    for name, result in results.items():
        shown = "\n".join(json_text(example) for example in result.examples)
        table.add_row(name.replace("_", " "), f"{result.checked:,}", f"{result.broken:,}", shown)
    standard_console().print(table)
