"""The review that README.md shows is what the command prints of the file that it shows."""

import re
import subprocess
import sys
from pathlib import Path

README = Path(__file__).parents[2] / "README.md"
FIRST = "CREATE TABLE accounts (id uuid PRIMARY KEY, balance numeric(20, 8) NOT NULL);\n"


def test_the_review_in_the_readme_is_what_is_printed(tmp_path: Path) -> None:
    shown = re.search(
        r"^\$ cat (?P<file>\S+)\n(?P<sql>.*?)^\$ tradewright review migrations\n(?P<told>.*?)^```",
        README.read_text(encoding="utf-8"),
        re.MULTILINE | re.DOTALL,
    )
    assert shown is not None
    folder = tmp_path / "migrations"
    folder.mkdir()
    (folder / "001_init.sql").write_text(FIRST)
    (tmp_path / shown["file"]).write_text(shown["sql"])
    printed = subprocess.run(
        [sys.executable, "-m", "tradewright", "review", "migrations"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert printed.returncode == 1, printed.stderr
    findings = printed.stdout.split("\n\n")
    for told in shown["told"].strip().split("\n\n"):
        assert told in findings
