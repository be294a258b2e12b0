"""Each module opens with a docstring: what it owns, what it does not, whom to read next."""

import ast
from pathlib import Path

from tests.style.house import PACKAGE, broken, check_files, python_files, shown, syntax


def missing_docstring(path: Path) -> list[str]:
    """Return an offence when a module does not open with a docstring of some words."""
    words = (ast.get_docstring(syntax(path)) or "").split()
    return [] if len(words) >= 3 else [f"{shown(path)}:1: no docstring"]


def test_every_module_opens_with_a_docstring() -> None:
    offences = check_files(python_files(PACKAGE), missing_docstring)
    assert not offences, broken(
        "Each module opens with a paragraph that says what it owns.",
        offences,
        "Write what the module owns, what it does not, and whom to read next.",
    )


def test_a_module_without_docstring_is_found(tmp_path: Path) -> None:
    silent = tmp_path / "silent.py"
    silent.write_text("# a comment is no docstring\nanswer = 42\n")
    assert missing_docstring(silent) == ["silent.py:1: no docstring"]


def test_a_module_with_a_docstring_passes(tmp_path: Path) -> None:
    speaking = tmp_path / "speaking.py"
    speaking.write_text('"""What this module owns."""\n')
    assert missing_docstring(speaking) == []
