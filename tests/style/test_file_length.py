"""A module that is too long to hold in mind is two modules."""

from pathlib import Path

from tests.style.house import PACKAGE, broken, check_files, python_files, shown

LINES_MAX = 400


def too_long(path: Path) -> list[str]:
    """Return an offence when a file has more than LINES_MAX lines."""
    lines = len(path.read_text(encoding="utf-8").splitlines())
    return [f"{shown(path)}:{LINES_MAX}: {lines} lines"] if lines > LINES_MAX else []


def test_no_module_is_longer_than_400_lines() -> None:
    offences = check_files(python_files(PACKAGE), too_long)
    assert not offences, broken(
        f"No module is longer than {LINES_MAX} lines.",
        offences,
        "Find the second idea in it and give that idea a module of its own.",
    )


def test_a_module_of_401_lines_is_found(tmp_path: Path) -> None:
    path = tmp_path / "endless.py"
    path.write_text("pass\n" * 400)
    assert too_long(path) == []
    path.write_text("pass\n" * 401)
    assert too_long(path) == ["endless.py:400: 401 lines"]
