"""The README, the Makefile and the continuous integration name the same commands."""

import os
import re

from tests.style.house import ROOT

TEST_COMMAND = "make test"


def targets(makefile: str) -> set[str]:
    """Return the targets that a Makefile explains."""
    return set(re.findall(r"^([a-z]+):.*## ", makefile, re.MULTILINE))


def unknown_targets(text: str, makefile: str) -> set[str]:
    """Return what a page runs with make, in code, that the Makefile does not have."""
    named = re.findall(r"(?:`|^\$ |^)make ([a-z]+)\b", text, re.MULTILINE)
    return set(named) - targets(makefile)


def test_the_readme_names_only_targets_that_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for page in ("README.md", "CONTRIBUTING.md"):
        assert unknown_targets((ROOT / page).read_text(encoding="utf-8"), makefile) == set()


def test_a_target_that_does_not_exist_is_found() -> None:
    makefile = "test: x ## Run\nhidden: x\n"
    text = "`make test`, `make tea` and\n$ make hidden\nmake sure it runs"
    assert unknown_targets(text, makefile) == {"tea", "hidden", "sure"}


def test_continuous_integration_runs_the_test_command_of_the_readme_last() -> None:
    script = ROOT / ".ci" / "run"
    ran = re.findall(r"^if ! (make \w+)", script.read_text(encoding="utf-8"), re.MULTILINE)
    assert ran == ["make check", TEST_COMMAND]
    assert f"`{TEST_COMMAND}`" in (ROOT / "README.md").read_text(encoding="utf-8")
    assert os.access(script, os.X_OK)
