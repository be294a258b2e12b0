"""Checks of the laws are kept: by whom, and what came of them; whoever may not write may look."""

import json
from collections.abc import Callable

import pytest
from click.testing import CliRunner

from tests.cast import open_user, open_wallet, value
from tradewright import audit
from tradewright.cli.main import cli
from tradewright.postgres.connect import Session

COUNT = "SELECT count(*) FROM law_checks"


def test_a_check_is_kept_with_who_how_long_and_what_is_broken(
    engine: Session, engine_database: str
) -> None:
    open_wallet(engine, open_user(engine), "100")
    audit.check_and_keep_laws(engine, actor="user:anna")
    engine.execute("ALTER TABLE user_balances DISABLE TRIGGER USER")
    engine.execute("UPDATE user_balances SET available = available + 1")
    words = ["--json", "--database", engine_database]
    assert CliRunner().invoke(cli, ["audit", "laws", *words]).exit_code == 1
    broken, whole = json.loads(CliRunner().invoke(cli, ["audit", "checks", *words]).stdout)
    assert (whole["actor"], whole["broken"]) == ("user:anna", [])
    assert broken["actor"] == broken["database_role"] == value(engine, "SELECT session_user")
    assert "balance_is_last_entry" in broken["broken"]
    assert broken["seconds"] > 0
    (kept, _) = audit.read_law_checks(engine, count_max=9)
    result = kept.results["balance_is_last_entry"]
    assert (result.broken, len(result.examples)) == (1, 1)


@pytest.mark.parametrize(("role", "count"), [("operator", 1), ("app", 0), ("reader", 0)])
def test_whoever_may_not_write_a_check_makes_it_all_the_same(
    engine: Session, session_as: Callable[[str], Session], role: str, count: int
) -> None:
    assert audit.check_and_keep_laws(session_as(role))
    assert value(engine, COUNT) == count
