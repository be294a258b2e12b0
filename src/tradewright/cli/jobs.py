"""`tradewright jobs`: run what is due, and show what there is and what came of it."""

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import click

from tradewright import operations
from tradewright.cli import options
from tradewright.cli.options import FOLDER
from tradewright.cli.tables import print_rows
from tradewright.operations import Means, Outcome, RunReport
from tradewright.payments.webhooks.post import Endpoint
from tradewright.postgres.connect import PATIENT_LIMITS, connect
from tradewright.postgres.target import open_database

_COLUMNS = ("name", "schedule", "next_due_at", "last_outcome", "last_finished_at", "failure_count")


@click.group("jobs", epilog=options.example("tradewright jobs run-due --json"))
def command() -> None:
    """Run what is due, and show what there is and what came of it."""


@command.command("list", epilog=options.example("tradewright jobs list"))
@options.with_database
def list_command(asked: options.Asked) -> None:
    """Show every job with its schedule and what came of its last run."""
    with asked.session() as session:
        jobs = operations.list_jobs(session)
    print_rows(asked, [asdict(job) for job in jobs], _COLUMNS)


@command.command("run-due", epilog=options.example("tradewright jobs run-due"))
@click.option("--webhook-url", help="Deliver events there; without it they wait.")
@click.option(
    "--webhook-secret",
    "secrets",
    multiple=True,
    envvar="TRADEWRIGHT_WEBHOOK_SECRETS",
    help="Sign with it; twice while it is changed.  [env: TRADEWRIGHT_WEBHOOK_SECRETS]",
)
@FOLDER
@options.with_database
def run_due_command(
    asked: options.Asked, webhook_url: str | None, secrets: Sequence[str], folder: Path | None
) -> None:
    """Run each job that is due once; exit 1 when one of them failed.

    Start it every few seconds or every minute, on as many machines as you like.
    """
    if webhook_url is not None and not secrets:
        raise click.UsageError("--webhook-url needs --webhook-secret.")
    endpoint = Endpoint(webhook_url, secrets) if webhook_url else None
    with _means(asked, endpoint, folder) as means:
        reports = operations.run_due(means)
    _print(asked, reports)
    sys.exit(1 if any(report.outcome is Outcome.FAILED for report in reports) else 0)


@contextmanager
def _means(asked: options.Asked, endpoint: Endpoint | None, folder: Path | None) -> Iterator[Means]:
    with open_database(asked.url, asked.keep, makes=False) as database:
        yield Means(
            source=lambda: connect(
                database.conninfo,
                schema=asked.schema,
                autocommit=True,
                limits=PATIENT_LIMITS,
                application_name=click.get_current_context().command_path,
            ),
            endpoint=endpoint,
            archive_folder=folder,
        )


def _print(asked: options.Asked, reports: Sequence[RunReport]) -> None:
    if asked.as_json:
        click.echo(json.dumps([asdict(report) for report in reports]))
        return
    if not reports:
        click.echo("nothing is due")
    for report in reports:
        click.echo(f"{report.job}: {_told(report)}")


def _told(report: RunReport) -> str:
    if report.outcome is Outcome.SUCCEEDED:
        left = f"; {report.error}" if report.error else ""
        return f"done, {report.done_count} in {report.seconds:.3f} s{left}"
    if report.outcome is Outcome.BUSY:
        return "left to the runner that has it"
    if report.outcome is Outcome.NOT_EQUIPPED:
        return f"waits for a runner with {report.error}"
    return f"failed: {report.error}"
