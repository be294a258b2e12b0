"""Functions are short: 25 lines are aimed at, 60 are the end.

A function is as long as its lines from `def` to its last, less its docstring: what explains is
not what must be held in mind. The number of functions over 25 lines is a ratchet.
"""

import ast
import tomllib
from pathlib import Path

from tests.style.house import PACKAGE, broken, check_files, functions, python_files, shown, syntax

LINES_AIMED = 25
LINES_MAX = 60
RATCHET = Path(__file__).with_name("ratchet.toml")


def length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Return a function's lines without its docstring."""
    lines = (function.end_lineno or function.lineno) - function.lineno + 1
    first = function.body[0]
    if ast.get_docstring(function, clean=False) is not None:
        lines -= (first.end_lineno or first.lineno) - first.lineno + 1
    return lines


def longer_than(lines_max: int, path: Path) -> list[str]:
    """Return the functions of a file that are longer than `lines_max`."""
    return [
        f"{shown(path)}:{function.lineno}: {function.name} has {length(function)} lines"
        for function in functions(syntax(path))
        if length(function) > lines_max
    ]


def test_no_function_is_longer_than_60_lines() -> None:
    offences = check_files(python_files(PACKAGE), lambda path: longer_than(LINES_MAX, path))
    assert not offences, broken(
        f"No function is longer than {LINES_MAX} lines.",
        offences,
        "Let the function decide and move each computation into a helper below it.",
    )


def test_functions_over_25_lines_do_not_become_more() -> None:
    allowed = tomllib.loads(RATCHET.read_text(encoding="utf-8"))["function_length"]
    count_max: int = allowed["longer_than_25_lines"]
    found = check_files(python_files(PACKAGE), lambda path: longer_than(LINES_AIMED, path))
    count = len(found.splitlines())
    assert count <= count_max, broken(
        f"{count} functions have more than {LINES_AIMED} lines; the ratchet stands at {count_max}.",
        found,
        "Shorten one of them; the number in tests/style/ratchet.toml may only fall.",
    )


def test_a_long_function_is_found(tmp_path: Path) -> None:
    body = "".join(f"    x{number} = {number}\n" for number in range(30))
    path = tmp_path / "long.py"
    path.write_text(f"def wander() -> None:\n{body}")
    assert longer_than(25, path) == ["long.py:1: wander has 31 lines"]
    assert longer_than(60, path) == []


def test_a_docstring_does_not_count(tmp_path: Path) -> None:
    words = "\n".join("    why" for _ in range(30))
    path = tmp_path / "explained.py"
    path.write_text(f'def explain() -> None:\n    """Explain.\n\n{words}\n    """\n    return\n')
    assert longer_than(2, path) == []
    assert longer_than(1, path) == ["explained.py:1: explain has 2 lines"]
