"""No float comes near money: neither a call of float() nor a literal such as 0.1.

A float cannot hold 0.1, so the rooms that touch money have none at all, not even for a purpose
that is harmless today. What is no money and must be a float is allowed by file, with its reason.
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

MONEY_ROOMS = ("ledger", "trading", "payments", "risk", "routing", "liquidity")


def floats(path: Path) -> list[str]:
    """Return every float literal and every use of `float` as a value in a file."""
    tree = syntax(path)
    called = [node.func for node in ast.walk(tree) if isinstance(node, ast.Call)]
    passed = [word for node in ast.walk(tree) if isinstance(node, ast.Call) for word in node.args]
    calls = [
        (node.lineno, "float()")
        for node in [*called, *passed]
        if isinstance(node, ast.Name) and node.id == "float"
    ]
    literals = [
        (node.lineno, str(node.value))
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, float)
    ]
    return [f"{shown(path)}:{line}: {text}" for line, text in sorted(calls + literals)]


def test_no_float_comes_near_money() -> None:
    files = [path for room in MONEY_ROOMS for path in python_files(PACKAGE / room)]
    offences = check_files(files, floats, allowed=allowances("money_without_floats"))
    assert not offences, broken(
        f"No float in {', '.join(MONEY_ROOMS)}.",
        offences,
        'Write Decimal("0.1"); if it is no money, allow the file in tests/style/allowances.toml.',
    )


def test_a_float_literal_and_a_call_are_found(tmp_path: Path) -> None:
    path = tmp_path / "fees.py"
    path.write_text("fee = 0.1\nprice = float(text)\nprices = map(float, texts)\n")
    assert floats(path) == ["fees.py:1: 0.1", "fees.py:2: float()", "fees.py:3: float()"]


def test_decimals_and_durations_pass(tmp_path: Path) -> None:
    path = tmp_path / "fees.py"
    path.write_text('fee = Decimal("0.1")\ndef wait(seconds: float) -> None: ...\n')
    assert floats(path) == []
