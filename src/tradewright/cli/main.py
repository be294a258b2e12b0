"""The command `tradewright`: finds the group that was asked for and imports only that.

Loading late keeps `tradewright --help` fast. Errors of the house are rendered here, once, for
every command: as lines for a person, as one JSON object under `--json`.
"""

import importlib
import json
import os
import re
import sys
from collections.abc import Sequence
from contextlib import suppress
from io import TextIOWrapper

import click

from tradewright import __version__

COMMANDS = {
    "accounts": ("tradewright.cli.accounts", "Open trading accounts, and see what is in them."),
    "archive": (
        "tradewright.cli.archive",
        "Archive old months of the audit log, hold them, bring them back.",
    ),
    "audit": ("tradewright.cli.audit", "Check the laws, seal and verify the record, show a trail."),
    "commissions": ("tradewright.cli.commissions", "Set what trades cost."),
    "convert": ("tradewright.cli.convert", "Convert a file of MySQL to PostgreSQL."),
    "credit": ("tradewright.cli.credit", "Lend accounts money for their margin."),
    "backup": (
        "tradewright.cli.backup",
        "Back the house up, and drill whether it can be restored.",
    ),
    "doctor": (
        "tradewright.cli.doctor",
        "Look whether the house is in order, and what to do about it.",
    ),
    "demo": ("tradewright.cli.demo", "Replay a trading day and check every law."),
    "engine": ("tradewright.cli.engine", "Run an engine with its providers, and send it orders."),
    "groups": (
        "tradewright.cli.groups",
        "Open groups of accounts, set their conditions, put accounts into them.",
    ),
    "instruments": (
        "tradewright.cli.instruments",
        "List instruments to be traded, and set their class and terms.",
    ),
    "jobs": ("tradewright.cli.jobs", "Run what is due, and show what came of it."),
    "keys": ("tradewright.cli.keys", "Make, list and revoke keys of the interface."),
    "ledger": (
        "tradewright.cli.ledger",
        "Show what the house holds, prove what it owes, seal and verify the ledger.",
    ),
    "margin": ("tradewright.cli.margin", "Set what positions bind as margin beside the leverage."),
    "metrics": ("tradewright.cli.metrics", "Show figures of the house to Prometheus."),
    "migrate": ("tradewright.cli.migrate", "Apply, roll back and inspect migrations."),
    "orders": ("tradewright.cli.orders", "Show orders, and what became of them."),
    "partitions": (
        "tradewright.cli.partitions",
        "Show the months of the audit log, and make those to come.",
    ),
    "payments": (
        "tradewright.cli.payments",
        "Look at payments, decide about them, reconcile and settle.",
    ),
    "positions": (
        "tradewright.cli.positions",
        "Show what accounts hold, and amend stop-loss and take-profit.",
    ),
    "providers": (
        "tradewright.cli.providers",
        "Connect liquidity providers, and settle what they dealt.",
    ),
    "report": ("tradewright.cli.report", "Report from the records, for supervisors and control."),
    "review": (
        "tradewright.cli.review",
        "Review migrations: what breaks, loses, locks or misleads.",
    ),
    "risk": ("tradewright.cli.risk", "Set limits, stop and resume trading, see what was denied."),
    "serve": ("tradewright.cli.serve", "Serve clients and staff over HTTP."),
    "swaps": (
        "tradewright.cli.swaps",
        "Set what holding positions costs, and roll a day over.",
    ),
    "users": ("tradewright.cli.users", "Open users, grant them roles, and list them."),
    "verify": ("tradewright.cli.verify", "Make the ten tests of a set of migrations on a shadow."),
    "views": (
        "tradewright.cli.views",
        "Show what a broker asks each day, computed ahead, and refresh it.",
    ),
    "wallets": ("tradewright.cli.wallets", "Show what users have outside their accounts."),
    "bench": ("tradewright.cli.bench", "Measure beside public programs in the same run."),
    "routing": (
        "tradewright.cli.routing",
        "Set what share of hybrid orders is passed on, and accounts' books.",
    ),
    "soak": (
        "tradewright.cli.soak",
        "Look for lost money: random work, a server that is killed, an audit.",
    ),
}
"""Command name → (module that defines `command`, line for the overview)."""


class LateGroup(click.Group):
    """A group whose commands are imported when they are called, not when they are listed."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """Return the names of all commands."""
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import and return one command."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(COMMANDS[cmd_name][0]).command
        _tell_whole(command)
        return command

    def invoke(self, ctx: click.Context) -> object:
        """Run the command that was asked for; say how a negative number is written."""
        try:
            return super().invoke(ctx)
        except click.NoSuchOption as error:
            if re.match(r"-\d", error.option_name) is None:
                raise
            told = (
                f'"{error.option_name}..." is taken for an option; put -- before a negative number.'
            )
            raise click.UsageError(told, error.ctx) from None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Write the overview from the table, without importing any command."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in sorted(COMMANDS.items())])


def _tell_whole(command: click.Command) -> None:
    """Let overviews show the first sentence of each command, which click would cut."""
    for each in command.commands.values() if isinstance(command, click.Group) else ():
        each.short_help = " ".join((each.help or "").split("\n\n", 1)[0].split())
        _tell_whole(each)


@click.group(cls=LateGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="tradewright")
def cli() -> None:
    """Tradewright: a broker's trading engine in PostgreSQL, and the tools that keep it right."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; exit 0 when all went well, 1 on a refusal, 2 on wrong usage."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    _write_what_can_be_written()
    try:
        cli.main(args=words, prog_name="tradewright", standalone_mode=True)
    except SystemExit as ended:
        if arguments is None and words[:1] == ["review"]:
            _leave_at_once(ended)
        raise
    except Exception as error:
        from tradewright.postgres.last_words import house_error  # noqa: PLC0415 (only where it is due)

        told = house_error(error)
        if told is None:
            raise
        if "--json" in words:
            click.echo(json.dumps({"error": told.as_dict()}))
        else:
            click.echo(f"tradewright: {told.render()}", err=True)
        sys.exit(1)


def _write_what_can_be_written() -> None:
    """Let a terminal of few characters show a question mark for what it lacks."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")


def _leave_at_once(ended: SystemExit) -> None:
    """End the process without taking a review's trees apart, node by node, only to be gone."""
    with suppress(BrokenPipeError):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(ended.code if isinstance(ended.code, int) else int(ended.code is not None))
