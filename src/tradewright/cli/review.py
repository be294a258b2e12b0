"""The command `tradewright review`: read migrations, report what is wrong with them.

Exit codes: 0 nothing at or above the threshold, 1 findings, 2 wrong usage or an internal error.
"""

import gc
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from tradewright.cli.output import write_output
from tradewright.core.errors import TradewrightError
from tradewright.review.model import Severity
from tradewright.review.report import FORMATS, renderer

if TYPE_CHECKING:
    from tradewright.review.service import Request

LEVELS = [*map(str, Severity), "never"]


@click.command(
    "review", epilog="Example: tradewright review migrations --format markdown --output review.md"
)
@click.argument("folder", required=False, type=click.Path(path_type=Path))
@click.option(
    "--format",
    "form",
    default="terminal",
    type=click.Choice(list(FORMATS)),
    show_default=True,
    help="The form of the report.",
)
@click.option("--json", "as_json", is_flag=True, help="Short for --format json.")
@click.option("--output", type=click.Path(path_type=Path), help="Write the report to a file.")
@click.option(
    "--fail-on",
    default="major",
    type=click.Choice(LEVELS),
    show_default=True,
    help="Exit 1 when a finding is as bad as this, or worse.",
)
@click.option("--after", metavar="VERSION", help="Judge only migrations after this version.")
@click.option("--since", metavar="REF", help="Judge only files that differ from a git revision.")
@click.option(
    "--schema",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="What stands before the first migration, as pg_dump --schema-only writes it.",
)
@click.option(
    "--placeholder",
    "placeholders",
    multiple=True,
    metavar="NAME=VALUE",
    help="What your runner, psql or shell fills in for ${NAME}, :NAME, {{ NAME }}, $NAME.",
)
@click.option("--baseline", type=click.Path(path_type=Path), help="Leave out findings listed here.")
@click.option("--update-baseline", is_flag=True, help="Write today's findings to the baseline.")
@click.option(
    "--prove/--no-prove",
    default=None,
    help="Apply the files to a shadow database too.  [default: when the embedded server is there]",
)
@click.option("--fix", is_flag=True, help="Show proven corrections as a diff, not the findings.")
@click.option("--write", is_flag=True, help="With --fix: write the corrections to the files.")
@click.option("--rules", "list_rules", is_flag=True, help="List all rules.")
@click.option("--explain", metavar="RULE", help="Print one rule's page.")
@click.pass_context
def command(context: click.Context, /, **options: object) -> None:
    """Review the migrations in FOLDER: what cannot apply, loses data, locks or misleads."""
    try:
        sys.exit(_run(context, options))
    except TradewrightError as error:
        from json import dumps  # noqa: PLC0415 - only on failure

        told = dumps({"error": error.as_dict()}) if options["as_json"] else error.render()
        click.echo(
            told if options["as_json"] else f"tradewright: {told}", err=not options["as_json"]
        )
        sys.exit(2)


def _run(context: click.Context, options: dict[str, object]) -> int:
    gc.disable()  # the trees live until the end; collecting would only walk them again and again
    from tradewright.review import service  # noqa: PLC0415 - the overview must not load it

    if options["list_rules"]:
        click.echo(service.rule_list())
        return 0
    if options["explain"]:
        click.echo(service.rule_page(str(options["explain"])))
        return 0
    _refuse_contradictions(context, options)
    request = _request(context, options)
    if options["fix"] or options["write"]:
        return _fix(context, request, options)
    context.obj = review = service.review(request)
    _write(renderer("json" if options["as_json"] else str(options["form"]))(review), options)
    level = str(options["fail_on"])
    return 0 if level == "never" or not review.at_or_above(Severity(level)) else 1


def _refuse_contradictions(context: click.Context, options: dict[str, object]) -> None:
    """Refuse options that would be left aside in silence beside another one."""
    given = {name for name in options if _is_given(context, name)}
    if options["update_baseline"] and not options["baseline"]:
        raise click.UsageError("--update-baseline needs --baseline FILE", context)
    if options["as_json"] and "form" in given and options["form"] != "json":
        raise click.UsageError(f"--json and --format {options['form']} exclude each other", context)
    about_findings = (
        *("form", "output", "fail_on", "baseline", "update_baseline", "prove", "schema"),
        "placeholders",
    )
    if options["fix"] and (unused := [name for name in about_findings if name in given]):
        word = "--" + _SHOWN.get(unused[0], unused[0].replace("_", "-"))
        raise click.UsageError(f"{word} is for findings; --fix shows corrections instead", context)


_SHOWN = {"form": "format", "placeholders": "placeholder"}
"""Options whose names here are not those of the command line."""


def _is_given(context: click.Context, name: str) -> bool:
    return context.get_parameter_source(name) is not ParameterSource.DEFAULT


def _request(context: click.Context, options: dict[str, object]) -> "Request":
    from tradewright.review.service import Request  # noqa: PLC0415 - the overview must not load it

    folder = options["folder"]
    if not isinstance(folder, Path):
        raise click.UsageError("FOLDER is missing", context)
    return Request(
        folder=folder,
        after=_text(options["after"]),
        since=_text(options["since"]),
        baseline=_path(options["baseline"]),
        update_baseline=bool(options["update_baseline"]),
        schema=_path(options["schema"]),
        placeholders=_values(context, options["placeholders"]),
        prove=None if options["prove"] is None else bool(options["prove"]),
    )


def _values(context: click.Context, given: object) -> dict[str, str]:
    """Return the values of placeholders by their names."""
    values = {}
    for pair in given if isinstance(given, tuple) else ():
        name, equals, value = str(pair).partition("=")
        if not name.strip() or not equals:
            raise click.UsageError(f'--placeholder is NAME=VALUE, not "{pair}"', context)
        values[name.strip()] = value
    return values


def _fix(context: click.Context, request: "Request", options: dict[str, object]) -> int:
    if not options["fix"]:
        raise click.UsageError("--write is for --fix", context)
    from tradewright.cli.rewrite_output import fix  # noqa: PLC0415 - only when asked for
    from tradewright.review.service import scope_of  # noqa: PLC0415

    return fix(
        request.folder,
        scope_of(request),
        write=bool(options["write"]),
        as_json=bool(options["as_json"]),
    )


def _write(text: str, options: dict[str, object]) -> None:
    output = _path(options["output"])
    if output is None:
        click.echo(text, nl=False)
    else:
        write_output(output, text)
        click.echo(f"review written to {output}", err=True)


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _path(value: object) -> Path | None:
    return value if isinstance(value, Path) else None
