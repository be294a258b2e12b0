"""Write into README.md and docs/start/first-day.md what the day that they show really prints.

What differs from machine to machine stays as it is. README.md shows a part: of each table the rows
that it shows are renewed; a row that it is to show besides is added there by hand first.
"""  # noqa: INP001 - a script

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
WHOLE = ROOT / "docs" / "start" / "first-day.md"
PART = ROOT / "README.md"
WORDS = ("demo", "--orders", "300", "--seed", "7")

_BLOCK = re.compile(
    rf"^(\$ [^\n]*tradewright {' '.join(WORDS)}\n)(.*?)(?=^(?:\$ |```))", re.MULTILINE | re.DOTALL
)
_OF_THE_MACHINE = ("│ PostgreSQL ", "│ orders per second ", "│ latency p50 / p99 ")


def printed_day() -> list[str]:
    """Run the day and return the lines that it prints."""
    ended = subprocess.run(
        [sys.executable, "-m", "tradewright", *WORDS], capture_output=True, text=True, check=True
    )
    return [line.rstrip() for line in ended.stdout.splitlines()]


def renewed(page: Path, printed: list[str]) -> str:
    """Return the text of a page with its day as it is printed now."""

    def renew(block: re.Match[str]) -> str:
        shown = block[2].splitlines()
        lines = _whole(shown, printed) if page == WHOLE else _part(shown, printed)
        return block[1] + "".join(f"{line}\n" for line in lines)

    return _BLOCK.sub(renew, page.read_text("utf-8"))


def _whole(shown: list[str], printed: list[str]) -> list[str]:
    kept = {_name(line): line for line in shown if line.startswith(_OF_THE_MACHINE)}
    return [kept.get(_name(line), line) for line in printed]


def _part(shown: list[str], printed: list[str]) -> list[str]:
    """Return of the printed lines those whose like is shown."""
    wanted = {_name(line) for line in shown}
    return [line for line in _whole(shown, printed) if _name(line) in wanted]


def _name(line: str) -> str:
    """Return what a line is about: the first cell of a row, the first word of a sentence.

    All lines of the list of what happened, which begin with a space, are about the same.
    """
    if line.startswith("│"):
        return line.split("│")[1].strip()
    return line.split(maxsplit=1)[0] if line[:1].isalpha() else line[:1]


def main() -> None:
    """Run the day once and renew each page."""
    printed = printed_day()
    for page in (WHOLE, PART):
        page.write_text(renewed(page, printed), "utf-8")


if __name__ == "__main__":
    main()
