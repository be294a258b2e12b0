"""Keys from the command line: made and shown once, listed without their secret, revoked."""

import json
from typing import Any

import click
import pytest
from click.testing import CliRunner

from tests.floor import Floor
from tests.web import new_user
from tradewright.access import identify
from tradewright.cli.main import cli
from tradewright.core.errors import ErrorCode, TradewrightError
from tradewright.core.ids import new_id_text

WHO = ("--actor", "anna", "--reason", "asked")


def run(floor: Floor, *words: str) -> Any:
    """Run a command of keys; return what it printed as JSON."""
    result = CliRunner().invoke(
        cli, ["keys", *words, "--json"], env={"DATABASE_URL": floor.conninfo}, catch_exceptions=True
    )
    if isinstance(result.exception, TradewrightError | click.ClickException):
        raise result.exception
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_a_key_is_shown_once_and_listed_without_its_secret(floor: Floor) -> None:
    user = new_user(floor.session, "trader", email="kim@example.org")
    made = run(floor, "create", "kim@example.org", "--name", "laptop", "--scope", "read", *WHO)
    caller = identify(floor.session, made["key"])
    assert (caller.user_id, sorted(caller.scopes)) == (user, ["read"])
    (listed,) = run(floor, "list", "--user", "kim@example.org")
    assert (listed["id"], listed["name"], listed["created_by"]) == (made["id"], "laptop", "anna")
    assert made["key"][-64:] not in json.dumps(listed)
    assert listed["last_used_at"] is not None


def test_a_revoked_key_is_listed_only_with_all_and_is_refused(floor: Floor) -> None:
    new_user(floor.session, "trader", email="kim@example.org")
    made = run(floor, "create", "kim@example.org", "--name", "x", "--scope", "trade", *WHO)
    ended = run(floor, "revoke", made["id"], "--actor", "ben", "--reason", "lost")
    assert (ended["revoked_by"], ended["revoked_why"]) == ("ben", "lost")
    assert run(floor, "list") == []
    assert [each["id"] for each in run(floor, "list", "--all")] == [made["id"]]
    with pytest.raises(TradewrightError) as caught:
        identify(floor.session, made["key"])
    assert caught.value.code is ErrorCode.ACCESS_KEY_REFUSED
    with pytest.raises(TradewrightError) as again:
        run(floor, "revoke", made["id"], *WHO)
    assert again.value.code is ErrorCode.ACCESS_KEY_REVOKED


def test_keys_that_cannot_be_are_refused_in_words(floor: Floor) -> None:
    new_user(floor.session, "trader", email="kim@example.org")
    words = ("create", "kim@example.org", "--scope", "read", *WHO)
    for refused, code in (
        ((*words, "--name", ""), ErrorCode.ACCESS_KEY_MALFORMED),
        (("revoke", new_id_text(), *WHO), ErrorCode.ACCESS_KEY_UNKNOWN),
        (("list", "--user", "nobody@example.org"), ErrorCode.USER_UNKNOWN),
    ):
        with pytest.raises(TradewrightError) as caught:
            run(floor, *refused)
        assert caught.value.code is code
    assert run(floor, "list", "--all") == []
