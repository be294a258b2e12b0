"""A folder or module is named after a business noun, never after its lack of one."""

from pathlib import Path

from tests.style.house import PACKAGE, broken, shown

NOT_A_NOUN = frozenset(
    {"common", "helper", "helpers", "manager", "managers", "misc", "util", "utils", "utilities"}
    | {"shared", "base", "lib", "stuff"}
)


def names_without_a_noun(tree: Path) -> list[str]:
    """Return the folders and modules below `tree` whose name says nothing of the business."""
    paths = (path for path in sorted(tree.rglob("*")) if path.is_dir() or path.suffix == ".py")
    return [
        f"{shown(path)}: {path.stem}"
        for path in paths
        if path.stem.strip("_").lower() in NOT_A_NOUN
        or path.stem.lower().endswith(("_utils", "_helpers", "_manager"))
    ]


def test_every_folder_and_module_is_named_after_a_business_noun() -> None:
    offences = "\n".join(names_without_a_noun(PACKAGE))
    assert not offences, broken(
        "A folder or module is named after what it is about.",
        offences,
        "Name it after the noun of the business that it owns, or move its parts to their rooms.",
    )


def test_a_folder_called_utils_is_found(tmp_path: Path) -> None:
    (tmp_path / "payments" / "utils").mkdir(parents=True)
    (tmp_path / "payments" / "risk_helpers.py").touch()
    (tmp_path / "payments" / "limits.py").touch()
    assert names_without_a_noun(tmp_path) == ["risk_helpers.py: risk_helpers", "utils: utils"]
