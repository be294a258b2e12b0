"""Runs the sessions that the documentation shows, so that what it shows is true.

From a page it takes the fenced blocks tagged `console` and `python`, in order. Of a console block
each line that begins with `$ ` is a command, its further lines after a backslash too, as they would
be typed; the rest is output and is not compared, since figures differ from run to run. A command
must exit with 0, or with N where the line ends in `# exit N`. A python block is a program of its
own.
"""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

BLOCK = re.compile(
    r"^(?P<fence>```+)(?P<kind>console|python)[ \t]*\n(?P<body>.*?)^(?P=fence)[ \t]*$",
    re.MULTILINE | re.DOTALL,
)
EXPECTED_EXIT = re.compile(r"\s+#\s*exit\s+(?P<code>\d+)\s*$")
COMMAND_SECONDS_MAX = 300


@dataclass(frozen=True, slots=True)
class Step:
    """One command or program of a page, and the status that it must exit with."""

    page: str
    line: int
    arguments: tuple[str, ...]
    exit_code: int = 0


def steps(page: Path) -> list[Step]:
    """Return what a page shows, in order."""
    text = page.read_text(encoding="utf-8")
    found: list[Step] = []
    for block in BLOCK.finditer(text):
        line = text.count("\n", 0, block.start("body")) + 1
        if block["kind"] == "python":
            found.append(Step(page.name, line, (sys.executable, "-c", block["body"])))
        else:
            found.extend(_console_steps(page.name, line, block["body"].splitlines()))
    return found


def _console_steps(page: str, first_line: int, lines: list[str]) -> Iterator[Step]:
    rest = iter(enumerate(lines, start=first_line))
    for number, line in rest:
        if not line.startswith("$ "):
            continue
        command = line.removeprefix("$ ")
        while command.endswith("\\"):
            command = f"{command}\n{next(rest, (0, ''))[1]}"
        expected = EXPECTED_EXIT.search(command)
        words = EXPECTED_EXIT.sub("", command)
        arguments = ("bash", "-euo", "pipefail", "-c", words)
        yield Step(page, number, arguments, int(expected["code"]) if expected else 0)


def failure(step: Step, folder: Path) -> str:
    """Run one step in `folder`; return an empty text if it exits as the page says."""
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    try:
        result = subprocess.run(
            step.arguments,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=COMMAND_SECONDS_MAX,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"{_told(step)}: still running after {COMMAND_SECONDS_MAX} s"
    if result.returncode == step.exit_code:
        return ""
    wanted = f"exit {result.returncode}, not {step.exit_code}"
    return f"{_told(step)}: {wanted}\n{result.stdout}{result.stderr}"


def _told(step: Step) -> str:
    return f"{step.page}:{step.line}: {step.arguments[-1]}"


def first_failure(pages: list[Path], folder: Path) -> str:
    """Run the steps of all pages in order in one folder; return how the first failure reads."""
    told = (failure(step, folder) for page in pages for step in steps(page))
    first = next(filter(None, told), "")
    if first:
        _end_what_was_left(folder)
    return first


def _end_what_was_left(folder: Path) -> None:
    """End what a page has put into the background, by the ids that it has noted in files."""
    for noted in folder.rglob("*.pid"):
        with suppress(ProcessLookupError, ValueError):
            os.kill(int(noted.read_text()), signal.SIGTERM)
