"""Only core/clock.py asks the system for the time.

With one clock a test can set the time, and a reader knows that every instant is aware UTC. A
mention counts, not only a call: `default_factory=datetime.now` asks just as well.
"""

import ast
from pathlib import Path

from tests.style.house import (
    PACKAGE,
    allowances,
    broken,
    check_files,
    python_files,
    shown,
    syntax,
)

CLOCK = PACKAGE / "core" / "clock.py"

ASKS_FOR_THE_TIME = frozenset(
    {f"datetime.datetime.{name}" for name in ("now", "utcnow", "today")}
    | {"datetime.date.today", "asyncio.sleep"}
    | {f"time.{name}" for name in ("time", "monotonic", "perf_counter", "process_time")}
    | {f"time.{name}_ns" for name in ("time", "monotonic", "perf_counter", "process_time")}
    | {f"time.{name}" for name in ("sleep", "localtime", "gmtime", "clock_gettime")}
)


def imported_names(tree: ast.Module) -> dict[str, str]:
    """Return what each name bound by an import stands for, such as dt → datetime.datetime."""
    names = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                names[alias.asname or alias.name.split(".")[0]] = alias.name
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                names[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    return names


def full_name(node: ast.expr, names: dict[str, str]) -> str:
    """Return the dotted name that an expression stands for, or an empty text."""
    if isinstance(node, ast.Name):
        return names.get(node.id, "")
    if isinstance(node, ast.Attribute):
        owner = full_name(node.value, names)
        return f"{owner}.{node.attr}" if owner else ""
    return ""


def asks_for_the_time(path: Path) -> list[str]:
    """Return every mention in a file of a function that asks the system for the time."""
    tree = syntax(path)
    names = imported_names(tree)
    mentions = {
        (node.lineno, full_name(node, names))
        for node in ast.walk(tree)
        if isinstance(node, ast.Name | ast.Attribute)
    }
    return [
        f"{shown(path)}:{line}: {name}"
        for line, name in sorted(mentions)
        if name in ASKS_FOR_THE_TIME
    ]


def test_only_the_clock_asks_the_system_for_the_time() -> None:
    files = [path for path in python_files(PACKAGE) if path != CLOCK]
    offences = check_files(files, asks_for_the_time, allowed=allowances("one_clock"))
    assert not offences, broken(
        "Only core/clock.py asks the system for the time.",
        offences,
        "Call utc_now, monotonic_seconds or pause of tradewright.core.clock.",
    )


def test_the_clock_itself_would_be_found() -> None:
    assert len(asks_for_the_time(CLOCK)) == 3


def test_the_time_is_found_under_any_name(tmp_path: Path) -> None:
    path = tmp_path / "late.py"
    path.write_text(
        "import time as t\n"
        "from datetime import date, datetime as dt\n"
        "from time import sleep\n"
        "a = t.monotonic()\n"
        "b = field(default_factory=dt.now)\n"
        "sleep(1)\n"
        "d = date.today()\n"
        "e = quote.time.time()\n"
    )
    assert asks_for_the_time(path) == [
        "late.py:4: time.monotonic",
        "late.py:5: datetime.datetime.now",
        "late.py:6: time.sleep",
        "late.py:7: datetime.date.today",
    ]
