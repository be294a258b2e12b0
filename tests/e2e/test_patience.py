"""Commands that read or seal a whole record are not cut off: a large house takes its time."""

from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.cast import open_user, open_wallet
from tradewright.cli.main import cli
from tradewright.postgres import connect
from tradewright.postgres.connect import DEFAULT_LIMITS, Session

SHORT = replace(DEFAULT_LIMITS, transaction_timeout_ms=1)
"""As the hour that a broker's record takes is to a minute, so is what a small one takes to this."""


@pytest.fixture
def hasty(engine: Session, engine_database: str, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Give the options of a house whose sessions are cut off at once, unless they ask for more."""
    open_wallet(engine, open_user(engine), "100")
    monkeypatch.setattr(connect, "DEFAULT_LIMITS", SHORT)
    return ["--database", engine_database]


@pytest.mark.parametrize(
    "words",
    [
        ["audit", "laws"],
        ["audit", "seal"],
        ["audit", "verify"],
        ["ledger", "seal"],
        ["ledger", "verify"],
        ["ledger", "house"],
        ["jobs", "run-due"],
    ],
    ids=" ".join,
)
def test_what_reads_a_whole_record_takes_its_time(hasty: list[str], words: list[str]) -> None:
    result = CliRunner().invoke(cli, [*words, *hasty], catch_exceptions=False)
    assert result.exit_code == 0, result.output


def test_a_proof_of_all_that_is_owed_takes_its_time(hasty: list[str], tmp_path: Path) -> None:
    words = ["ledger", "prove", "--to", str(tmp_path / "proofs")]
    assert CliRunner().invoke(cli, [*words, *hasty], catch_exceptions=False).exit_code == 0
