"""An allowance says why, and goes when nothing needs it any more."""

import tomllib
from pathlib import Path

from tests.style.house import ALLOWANCES, ROOT, FileCheck, broken
from tests.style.test_money_without_floats import floats
from tests.style.test_one_clock import asks_for_the_time
from tests.style.test_sql_in_strings import sql_in_strings

CHECKS: dict[str, FileCheck] = {
    "money_without_floats": floats,
    "one_clock": asks_for_the_time,
    "sql_in_strings": sql_in_strings,
}

REASON_WORDS_MIN = 4


def idle_allowances(table: dict[str, dict[str, str]], *, root: Path) -> list[str]:
    """Return the allowances that give no reason, or that no file needs."""
    entries = [(law, name, why) for law, files in table.items() for name, why in files.items()]
    return [
        f"{law}: {name}"
        for law, name, why in entries
        if len(why.split()) < REASON_WORDS_MIN
        or law not in CHECKS
        or not (root / name).is_file()
        or not CHECKS[law](root / name)
    ]


def test_every_allowance_has_a_reason_and_a_need() -> None:
    offences = idle_allowances(tomllib.loads(ALLOWANCES.read_text(encoding="utf-8")), root=ROOT)
    assert not offences, broken(
        "Every entry of tests/style/allowances.toml gives a reason and is still needed.",
        "\n".join(offences),
        "Give the reason in a sentence, or remove the entry.",
    )


def test_an_allowance_without_need_or_reason_is_found(tmp_path: Path) -> None:
    (tmp_path / "noise.py").write_text("sigma = 0.5\n")
    (tmp_path / "clean.py").write_text("sigma = 1\n")
    why = "the shape of simulated noise, never a price"
    law = {"noise.py": why, "clean.py": why, "gone.py": why}
    table = {"money_without_floats": law, "no_such_law": {"noise.py": why}}
    assert idle_allowances(table, root=tmp_path) == [
        "money_without_floats: clean.py",
        "money_without_floats: gone.py",
        "no_such_law: noise.py",
    ]
    assert idle_allowances({"money_without_floats": {"noise.py": "because"}}, root=tmp_path)
