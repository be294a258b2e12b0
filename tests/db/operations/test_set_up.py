"""A house is set up as the page says, and its units start what exists."""

import configparser
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import click
import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from tests.e2e.docs_session import first_failure
from tests.style.house import ROOT
from tradewright.cli.main import cli
from tradewright.postgres.embedded import EmbeddedServer

PAGE = ROOT / "docs" / "how-to" / "set-up-a-house.md"
UNITS = sorted((ROOT / "deploy" / "systemd").iterdir())
BLOCK = re.compile(r"^```(sql|console)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
INSTALLED = "/usr/local/lib/tradewright/bin/tradewright"


@pytest.fixture
def empty_server() -> Iterator[EmbeddedServer]:
    """Run a server on which nothing was ever set up."""
    with EmbeddedServer.temporary({"max_wal_size": "256MB"}) as server:
        yield server


def address_of(server: EmbeddedServer) -> str:
    parts = conninfo_to_dict(server.conninfo())
    return f"{quote(str(parts['host']), safe='')}:{parts['port']}"


def test_an_empty_server_becomes_a_house_that_the_doctor_finds_right(
    empty_server: EmbeddedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    text = PAGE.read_text().replace("@db/", f"@{address_of(empty_server)}/")
    blocks = BLOCK.findall(text)
    assert [kind for kind, _ in blocks].count("sql") == 3
    for kind, body in blocks:
        if kind == "sql":
            name = "broker" if "GRANT CONNECT ON" in body else "postgres"
            with psycopg.connect(empty_server.conninfo(name), autocommit=True) as master:
                for statement in body.split(";\n"):
                    if statement.strip():
                        master.execute(statement.encode())
        else:
            page = tmp_path / "page.md"
            page.write_text(f"```console\n{body}```\n")
            failed = first_failure([page], tmp_path)
            assert not failed, failed


def started() -> list[tuple[str, list[str]]]:
    """Return what each unit starts, word by word."""
    found = []
    for unit in UNITS:
        for line in unit.read_text().splitlines():
            if line.startswith("ExecStart="):
                program, *words = shlex.split(line.removeprefix("ExecStart="))
                assert program == INSTALLED, unit.name
                found.append((unit.name, words))
    return found


@pytest.mark.parametrize(("unit", "words"), started())
def test_a_unit_starts_a_command_with_options_that_it_takes(
    unit: str, words: list[str], tmp_path: Path
) -> None:
    command: click.Command = cli
    context = click.Context(cli)
    rest = [word.replace("/var/backups/tradewright", str(tmp_path)) for word in words]
    while isinstance(command, click.Group):
        found = command.get_command(context, rest.pop(0))
        assert found is not None, (unit, words)
        command = found
    with command.make_context(command.name or unit, rest, parent=context) as made:
        assert made.params


def test_each_unit_is_named_on_the_page_and_each_timer_has_its_service() -> None:
    page = PAGE.read_text()
    names = {unit.name for unit in UNITS}
    for unit in UNITS:
        settings = configparser.ConfigParser(strict=False, interpolation=None)
        settings.optionxform = str  # type: ignore[assignment, method-assign]
        settings.read_string(unit.read_text())
        if unit.suffix == ".timer":
            assert f"{unit.stem}.service" in names
            assert f"`{unit.name}`" in page
            assert "Install" in settings
        elif f"{unit.stem}.timer" in names:
            assert settings["Service"]["Type"] == "oneshot"
        else:
            assert f"`{unit.name}`" in page
            assert settings["Service"]["Restart"] == "always"
        if unit.suffix == ".service":
            assert settings["Service"]["User"] == "tradewright"
            assert settings["Service"]["EnvironmentFile"].startswith("/etc/tradewright/")
