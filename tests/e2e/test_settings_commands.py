"""`tradewright groups`, `commissions` and `routing`: set, shown, kept with who and why, refused."""

import json
from typing import Any

import pytest
from click.testing import CliRunner
from msgspec import structs

from tests.floor import Floor, buy, deal
from tradewright.cli.main import LateGroup, cli
from tradewright.core.errors import TradewrightError
from tradewright.risk.model import ClientClass
from tradewright.trading.groups import AccountGroup

assert isinstance(cli, LateGroup)

NOBODY = "00000000-0000-7000-8000-000000000000"
WHO = ("--actor", "anna", "--reason", "agreed by phone")


def run(floor: Floor, *words: str) -> Any:
    result = CliRunner().invoke(cli, [*words, "--database", floor.conninfo, "--json"])
    if isinstance(result.exception, TradewrightError):
        error = result.exception
        assert error.why
        assert error.hint, error
        return str(error.code)
    if result.exit_code == 2:
        return result.stderr
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def kept(floor: Floor, table: str) -> list[tuple[Any, ...]]:
    return floor.rows(
        "SELECT action, actor, reason FROM audit_log WHERE table_name = %s AND reason IS NOT NULL"
        " ORDER BY seq",
        table,
    )


def test_a_group_is_opened_changed_and_given_to_an_account(floor: Floor) -> None:
    opened = run(floor, "groups", "open", "pro", "--swap-free", *WHO)
    changed = run(floor, "groups", "set", "pro", "--position-mode", "hedging", *WHO)
    assert opened["is_swap_free"] is True
    assert changed == opened | {"position_mode": "hedging"} == run(floor, "groups", "show", "pro")
    assert [row["code"] for row in run(floor, "groups", "list")] == ["pro", "standard"]
    account = floor.account()
    run(floor, "groups", "assign", account, "pro", *WHO)
    assert floor.one("SELECT group_code FROM accounts WHERE id = %s", account) == "pro"
    anna = ("anna", "agreed by phone")
    assert kept(floor, "account_groups") == [("insert", *anna), ("update", *anna)]
    assert kept(floor, "accounts") == [("update", *anna)]
    assert floor.broken_laws() == {}


def test_every_condition_of_a_group_may_be_set(floor: Floor) -> None:
    """A condition that is added to groups is offered here by itself."""
    result = CliRunner().invoke(cli, ["groups", "set", "--help"])
    for one in structs.fields(AccountGroup):
        if one.name != "code":
            assert f"--{one.name.removeprefix('is_').replace('_', '-')}" in result.output


def test_credit_is_granted_listed_and_withdrawn(floor: Floor) -> None:
    account = floor.account(client_class=ClientClass.PROFESSIONAL)
    assert run(floor, "credit", "grant", account, "500", *WHO)["credit"] == "500"
    assert run(floor, "credit", "withdraw", account, "120.5", *WHO)["credit"] == "379.5"
    held = {"account": account, "currency": "USD", "credit": "379.5", "balance": "10000"}
    assert run(floor, "credit", "list") == [held]
    assert kept(floor, "accounts") == [("update", "anna", "agreed by phone")] * 2
    assert run(floor, "credit", "withdraw", account, "380", *WHO) == "ACCOUNT_CREDIT_EXHAUSTED"
    assert run(floor, "credit", "grant", floor.account(), "1", *WHO) == "ACCOUNT_CREDIT_REFUSED"


def test_commission_terms_are_set_listed_and_the_most_particular_ones_shown(floor: Floor) -> None:
    show = ("commissions", "show", "--symbol", "EURUSD")
    assert run(floor, *show)["form"] == "per_million"
    run(floor, "commissions", "set", "bps", "0.2", "--symbol", "EURUSD", *WHO)
    run(floor, "commissions", "set", "per_lot", "3.5", "--group", "standard", *WHO)
    assert run(floor, *show)["rate"] == "3.5"
    assert [row["form"] for row in run(floor, "commissions", "list")] == ["per_lot", "bps"]
    account = floor.account("100000")
    with floor.engine() as engine:
        deal(engine, buy(account, 200_000))
    assert floor.one("SELECT commission FROM trades") == 7
    assert kept(floor, "commission_terms") == [("insert", "anna", "agreed by phone")] * 2


def test_a_policy_is_set_in_parts_and_emptied(floor: Floor) -> None:
    first = run(floor, "routing", "set", "EURUSD", "--size", "500000", "2e6", *WHO)
    assert (first["default_percent"], first["size"]) == (0, ["500000", "2000000"])
    limits = ("--exposure-limit", "5000000", "--hedge-target", "1000000")
    second = run(floor, "routing", "set", "EURUSD", *limits, *WHO)
    assert second["size"] == ["500000", "2000000"]
    third = run(floor, "routing", "set", "EURUSD", "--without", "size", *WHO)
    assert (
        third == second | {"size": None, "revision": 3} == run(floor, "routing", "show", "EURUSD")
    )
    assert [row[0] for row in kept(floor, "routing_policies")] == ["insert", "update", "update"]


def test_rules_overrides_and_books_are_set_and_ended(floor: Floor) -> None:
    rule = run(floor, "routing", "add-rule", "5", "100", "--client-class", "professional", *WHO)
    assert [one["id"] for one in run(floor, "routing", "rules")] == [rule["id"]]
    run(floor, "routing", "disable-rule", rule["id"], *WHO)
    ordered = run(floor, "routing", "override", "manual", "--percent", "40", *WHO)
    assert run(floor, "routing", "overrides")[0]["a_percent"] == 40
    run(floor, "routing", "lift", ordered["id"], *WHO)
    assert run(floor, "routing", "rules") == run(floor, "routing", "overrides") == []
    account = floor.account()
    run(floor, "routing", "book", account, "hybrid", *WHO)
    assert floor.one("SELECT book FROM accounts") == "hybrid"
    assert floor.broken_laws() == {}


def test_a_clients_profile_is_shown_with_its_toxicity_by_a_policy(floor: Floor) -> None:
    run(floor, "routing", "set", "EURUSD", "--win-bps", "4", "--reject-prone-bps", "0", *WHO)
    floor.account()
    user = floor.one("SELECT id::text FROM users")
    before = run(floor, "routing", "profile", user, "--symbol", "EURUSD")
    assert (before["trade_count"], before["toxicity_bps"]) == (0, None)
    floor.session.execute(
        "INSERT INTO client_profiles (user_id, trade_count, markout_10s_bps, closing_count,"
        " short_hold_share, win_share, arrival_count, reject_prone_share)"
        " SELECT id, 70, 1.25, 60, 0.5, 0.75, 80, 0.1 FROM users"
    )
    shown = run(floor, "routing", "profile", user, "--symbol", "EURUSD")
    assert shown["toxicity_bps"] == "3.75"
    assert "toxicity_bps" not in run(floor, "routing", "profile", user)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("groups show nobodys", "ACCOUNT_GROUP_UNKNOWN"),
        ("groups set nobodys --swap-free WHO", "ACCOUNT_GROUP_UNKNOWN"),
        ("groups open standard WHO", "ACCOUNT_GROUP_EXISTS"),
        ("groups open A! WHO", "ACCOUNT_GROUP_MALFORMED"),
        (f"groups assign {NOBODY} standard WHO", "ACCOUNT_UNKNOWN"),
        (f"credit grant {NOBODY} 1 WHO", "ACCOUNT_UNKNOWN"),
        (f"credit withdraw {NOBODY} 0.001 WHO", "ACCOUNT_UNKNOWN"),
        ("credit grant nobody 1 WHO", "is not a valid UUID"),
        ("commissions show --symbol NOSUCH", "INSTRUMENT_UNKNOWN"),
        ("commissions set bps 1 WHO", "Give --group, --symbol, or both."),
        ("commissions set bps 1 --group nobodys WHO", "ACCOUNT_GROUP_UNKNOWN"),
        ("commissions set bps --symbol EURUSD WHO -- -1", "COMMISSION_TERMS_MALFORMED"),
        ("commissions set bps 10000.1 --symbol EURUSD WHO", "COMMISSION_TERMS_MALFORMED"),
        ("commissions set per_million 1000001 --symbol EURUSD WHO", "COMMISSION_TERMS_MALFORMED"),
        ("orders list --symbol NOSUCH", "INSTRUMENT_UNKNOWN"),
        ("positions list --symbol NOSUCH", "INSTRUMENT_UNKNOWN"),
        ("routing show EURUSD", "ROUTING_POLICY_MISSING"),
        ("routing show NOSUCH", "INSTRUMENT_UNKNOWN"),
        (f"routing profile {NOBODY}", "USER_UNKNOWN"),
        ("routing set EURUSD --win-bps=-1 WHO", "ROUTING_TERMS_MALFORMED"),
        ("routing set EURUSD --default-percent 101 WHO", "ROUTING_TERMS_MALFORMED"),
        ("routing set EURUSD --size 2 1 WHO", "ROUTING_TERMS_MALFORMED"),
        ("routing set EURUSD --hedge-target 1 WHO", "ROUTING_TERMS_MALFORMED"),
        ("routing add-rule 1 101 WHO", "ROUTING_TERMS_MALFORMED"),
        (f"routing disable-rule {NOBODY} WHO", "ROUTING_RULE_UNKNOWN"),
        (f"routing lift {NOBODY} WHO", "ROUTING_OVERRIDE_UNKNOWN"),
        ("routing set EURUSD WHO", "Give at least one part"),
        ("groups set standard --swap-free --actor anna", "Missing option '--reason'"),
        ("groups set standard --swap-free --actor anna --reason=", "say it in words"),
    ],
)
def test_what_cannot_be_is_refused_with_why_and_hint(floor: Floor, words: str, code: str) -> None:
    before, _, after = words.partition("WHO")
    who = WHO if "WHO" in words else ()
    options = ["--database", floor.conninfo, "--json"]
    result = CliRunner().invoke(cli, [*before.split(), *who, *options, *after.split()])
    if isinstance(result.exception, TradewrightError):
        error = result.exception
        assert (str(error.code), bool(error.why), bool(error.hint)) == (code, True, True)
    else:
        assert code in result.stderr, result.output


def test_a_setting_is_given_or_emptied_and_not_both(floor: Floor) -> None:
    words = ["routing", "set", "EURUSD", "--size", "1", "2", "--without", "size", *WHO]
    done = CliRunner().invoke(cli, [*words, "--database", floor.conninfo])
    assert (done.exit_code, "--size and --without size: give one." in done.output) == (2, True)
