"""Whatever a command is given, it answers in the house's words, and none ends in a traceback."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from tests.floor import Floor
from tradewright.cli.main import COMMANDS, LateGroup, cli
from tradewright.postgres.last_words import house_error

assert isinstance(cli, LateGroup)

NOBODY = "00000000-0000-7000-8000-000000000000"
SERVERS_WORDS = re.compile(
    r"violates|relation \"|Failing row|numeric field|out of range for type|integer out of range"
    r"|invalid input syntax|syntax error at|\dE[-+]\d"
)
HOSTILE: dict[str, tuple[str, ...]] = {
    "Number": ("1e30", "-1", "NaN", "0.1234567891", "0"),
    "IntParamType": ("1" + "0" * 30, "-1"),
    "IntRange": ("1" + "0" * 30, "-1"),
    "FloatRange": ("nan", "inf"),
    "UUIDParameterType": (NOBODY, "x"),
    "DateTime": ("0001-01-01", "9999-12-31", "x"),
    "Path": ("/nonexistent/x",),
}
WORDS = ("XYZ", "", "a'b\"[red]", "é" * 40)
GOOD = {"Number": "1", "IntParamType": "5", "IntRange": "5", "DateTime": "2026-01-13"}
OF_THEIR_OWN = frozenset({"bench", "convert", "demo", "migrate", "review", "soak", "verify"})
STAY = frozenset(
    {
        *("engine run", "engine send", "jobs run-due", "metrics", "payments deliver"),
        "payments receive",
        *("providers check", "providers fetch", "providers simulate", "risk alerts", "serve"),
    }
)
"""What waits for others, for longer than a test does."""


def leaves(command: click.Command, path: tuple[str, ...]) -> Iterator[tuple[str, click.Command]]:
    if not isinstance(command, click.Group):
        yield " ".join(path), command
        return
    context = click.Context(command)
    for name in command.list_commands(context):
        found = command.get_command(context, name)
        assert found is not None
        yield from leaves(found, (*path, name))


def usual(one: click.Parameter) -> str:
    if isinstance(one.type, click.Choice):
        return str(one.type.choices[0])
    return "kim" if one.name in {"actor", "reason"} else GOOD.get(type(one.type).__name__, "EURUSD")


def hostile(one: click.Parameter) -> tuple[str, ...]:
    if isinstance(one.type, click.Choice):
        return ("nosuch",)
    return HOSTILE.get(type(one.type).__name__, WORDS)


def invocations(command: click.Command) -> Iterator[dict[str, str]]:
    """Give what to call a command with: one hostile value at a time, and the rest as usual."""
    own = [one for one in command.params if one.name not in {"database", "keep", "schema"}]
    told = [one for one in own if not getattr(one, "is_flag", False) and one.name != "without"]
    needed = {
        str(one.name): usual(one)
        for one in told
        if one.required or one.param_type_name == "argument"
    }
    for one in told:
        for value in hostile(one):
            yield {**needed, str(one.name): value}


def spoken(floor: Floor, path: str, command: click.Command, given: dict[str, str]) -> str:
    """Run a command; return all that a person reads, with the traceback if there is one."""
    words, named = path.split(), {str(one.name): one for one in command.params}
    arguments: list[str] = []
    for name, value in given.items():
        pair = [value] * (max(1, named[name].nargs))
        is_argument = named[name].param_type_name == "argument"
        arguments += pair if is_argument else []
        words += [] if is_argument else [named[name].opts[-1], *pair]
    place = ["--database", floor.conninfo] if "database" in named else []
    done = CliRunner().invoke(cli, [*words, *place, "--", *arguments])
    error: Any = done.exception
    if error is None or isinstance(error, SystemExit):
        return done.output
    told = house_error(error)
    if told is None:
        return f"traceback: {error!r}"
    return told.render() if told.why and told.hint else f"traceback without why or hint: {told}"


@pytest.mark.parametrize("group", sorted(COMMANDS.keys() - OF_THEIR_OWN))
def test_no_command_speaks_in_the_server_s_words(
    floor: Floor, group: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    found = cli.get_command(click.Context(cli), group)
    assert found is not None
    for path, command in leaves(found, (group,)):
        for given in invocations(command) if path not in STAY else ():
            text = spoken(floor, path, command, given)
            assert not SERVERS_WORDS.search(text), (path, given, text)
            assert "traceback" not in text, (path, given, text)


def test_every_command_shows_an_example() -> None:
    without = [path for path, command in leaves(cli, ()) if "Example" not in (command.epilog or "")]
    assert without == []


def test_every_option_says_what_it_is_for() -> None:
    given = [(path, one) for path, command in leaves(cli, ()) for one in command.params]
    mute = [
        (path, one.name) for path, one in given if isinstance(one, click.Option) and not one.help
    ]
    assert mute == []


@pytest.mark.parametrize("group", sorted(COMMANDS))
def test_an_overview_tells_each_command_whole(group: str) -> None:
    shown = CliRunner().invoke(cli, [group, "--help"]).output
    assert "..." not in shown.partition("Commands:")[2].partition("Example:")[0]
