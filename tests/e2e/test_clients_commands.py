"""`tradewright users`, `accounts`, `wallets`, `orders` and `positions`, as people meet them."""

import json
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest
from click.testing import CliRunner

from tests.db.trading.test_closed_markets import forget_prices
from tests.e2e.test_http_clients import line_of
from tests.floor import Floor, buy, deal, sell
from tradewright import ledger
from tradewright.cli.main import LateGroup, cli
from tradewright.core.ids import new_id_text
from tradewright.postgres.connect import connect
from tradewright.postgres.last_words import house_error
from tradewright.risk.margin import state_at_rest
from tradewright.trading.inquiry import list_accounts, worths_of
from tradewright.trading.stress import AccountWorth

assert isinstance(cli, LateGroup)

NOBODY = "00000000-0000-7000-8000-000000000000"
WHO = ("--actor", "anna", "--reason", "applied in writing")
KIM = "kim@example.org"


def run(floor: Floor, *words: str) -> Any:
    """Return what a command prints as JSON, or the error that it ends with."""
    done = CliRunner().invoke(cli, [*words, "--database", floor.conninfo, "--json"])
    if isinstance(done.exception, Exception) and not isinstance(done.exception, SystemExit):
        error = house_error(done.exception)
        assert error is not None, done.exception
        assert error.why, error
        assert error.hint, error
        return error
    if done.exit_code == 2:
        return done.stderr
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def test_a_user_is_opened_with_roles_and_found_by_id_and_address(floor: Floor) -> None:
    opened = run(floor, "users", "open", KIM, "--kyc-level", "2", *WHO)
    assert (opened["email"], opened["client_class"], opened["kyc_level"]) == (KIM, "retail", 2)
    assert opened["roles"] == ["trader"]
    granted = run(floor, "users", "grant", KIM, "payments_officer", *WHO)
    assert granted["roles"] == ["payments_officer", "trader"]
    assert run(floor, "users", "show", opened["id"]) == granted == run(floor, "users", "show", KIM)
    assert run(floor, "users", "list", "--last", "1") == [granted]
    kept = floor.rows(
        "SELECT table_name, actor, reason FROM audit_log WHERE reason IS NOT NULL ORDER BY seq"
    )
    who = ("anna", "applied in writing")
    assert kept == [("users", *who), ("user_roles", *who), ("user_roles", *who)]


def test_an_address_in_capitals_is_the_same_address(floor: Floor) -> None:
    opened = run(floor, "users", "open", "Kim@Example.ORG", *WHO)
    assert opened["email"] == KIM
    assert run(floor, "users", "open", KIM.upper(), *WHO).code == "USER_EXISTS"
    assert run(floor, "users", "show", KIM.upper()) == opened
    with pytest.raises(psycopg.errors.CheckViolation, match="users_email_in_small_letters"):
        floor.session.execute("INSERT INTO users (email) VALUES ('KIM@example.org')")


def test_an_account_is_opened_for_a_trader_and_shown_with_its_settings(floor: Floor) -> None:
    user = run(floor, "users", "open", KIM, *WHO)
    terms = ("--currency", "EUR", "--leverage", "10", "--book", "A", "--stop-out-level", "40")
    opened = run(floor, "accounts", "open", KIM, *terms, *WHO)
    assert opened["user_id"] == user["id"]
    told = ("group", "currency", "leverage", "book", "margin_call_level", "stop_out_level")
    assert [opened[name] for name in told] == ["standard", "EUR", 10, "A", "100", "40"]
    worth = ("balance", "credit", "equity", "used_margin", "margin_level", "status")
    assert [opened[name] for name in worth] == ["0", "0", "0", "0", None, "active"]
    assert run(floor, "accounts", "show", opened["id"]) == opened
    for asked in (
        ("--user", KIM),
        ("--group", "standard"),
        ("--book", "A"),
        ("--status", "active"),
    ):
        assert run(floor, "accounts", "list", *asked) == [opened]
    assert run(floor, "accounts", "list", "--book", "B") == []
    assert floor.rows("SELECT actor FROM audit_log WHERE table_name = 'accounts'") == [("anna",)]
    assert floor.broken_laws() == {}


def test_an_account_is_told_with_what_it_is_worth(floor: Floor) -> None:
    account, empty = floor.account("10000"), floor.account("500")
    with floor.engine() as engine:
        deal(engine, buy(account, 100_000))
        floor.quote(engine, "EURUSD", "1.10100", "1.10110")
        deal(engine, sell(empty, 1000, limit_price="1.2"))
    shown = run(floor, "accounts", "show", account)
    # 100,000 bought at 1.10010, worth 1.10100 to close; margin 100,000 * 1.10105 / 30.
    assert (shown["balance"], shown["equity"]) == ("10000", "10090")
    assert (shown["used_margin"], shown["free_margin"]) == ("3670.17", "6419.83")
    assert (shown["margin_level"], shown["open_positions"]) == ("274.92", 1)
    other = run(floor, "accounts", "list", "--last", "1")[0]
    assert (other["id"], other["equity"], other["live_orders"]) == (empty, "500", 1)


def test_an_account_is_told_whose_positions_are_closed_while_it_is_read(floor: Floor) -> None:
    account = floor.account("10000")
    with floor.engine() as engine, connect(floor.conninfo) as session:
        deal(engine, buy(account, 1000))
        [read] = list_accounts(session, account_id=account, count_max=1)
        deal(engine, sell(account, 1000))
        [told] = worths_of(session, [read]).values()
    at_rest = AccountWorth(state_at_rest(read.balance, read.credit))
    assert (read.open_positions, told) == (1, at_rest)


def test_an_account_without_a_price_is_told_without_its_worth(floor: Floor) -> None:
    account = floor.account("10000")
    with floor.engine() as engine:
        deal(engine, buy(account, 1000))
    floor.session.execute("ALTER TABLE order_events DISABLE TRIGGER USER")
    floor.session.execute("UPDATE order_events SET details = '{}'")
    forget_prices(floor)
    shown = run(floor, "accounts", "show", account)
    worth = ("equity", "used_margin", "free_margin", "margin_level", "priced_at")
    assert [shown[name] for name in worth] == [None] * 5
    assert shown["open_positions"] == 1


def test_an_account_is_valued_at_the_newest_price_known_and_says_of_which_time(
    floor: Floor,
) -> None:
    account, rest = floor.account("10000"), floor.account("500")
    with floor.engine() as engine:
        deal(engine, buy(account, 100_000))
        floor.quote(engine, "EURUSD", "1.10100", "1.10110")
        floor.now += timedelta(minutes=5)
        floor.quote(engine, "EURUSD", "1.10200", "1.10210")
    kept_at = floor.now
    by_kept = run(floor, "accounts", "show", account)
    assert (by_kept["equity"], by_kept["priced_at"]) == ("10190", str(kept_at))
    assert run(floor, "accounts", "list", "--last", "1")[0]["priced_at"] is None
    floor.now += timedelta(minutes=5)
    with floor.engine(eurusd=None) as engine:
        floor.quote(engine, "EURUSD", "1.10300", "1.10310")
        deal(engine, buy(rest, 1000, limit_price="1.05"))
    seen_at = floor.now
    floor.session.execute("UPDATE last_prices SET bid = 1, ask = 1, quoted_at = %s", (kept_at,))
    by_seen = run(floor, "accounts", "show", account)
    assert (by_seen["equity"], by_seen["priced_at"]) == ("10290", str(seen_at))
    priced = run(floor, "risk", "stress")["prices"]["EURUSD"]
    assert (priced["bid"], priced["quoted_at"]) == ("1.10300", str(seen_at))


def test_the_time_of_a_price_is_that_of_the_oldest_that_counts(floor: Floor) -> None:
    account = floor.account("10000", currency="EUR")
    with floor.engine() as engine:
        converted_at = floor.now
        floor.quote(engine, "GBPUSD", "1.30000", "1.30010")
        deal(engine, buy(account, 1000, symbol="GBPUSD"))
        floor.now += timedelta(seconds=30)
        floor.quote(engine, "GBPUSD", "1.30100", "1.30110")
    shown = run(floor, "accounts", "show", account)
    assert shown["priced_at"] == str(converted_at)
    assert shown["equity"] is not None


def test_wallets_are_told_by_currency_with_what_they_hold(floor: Floor) -> None:
    user = run(floor, "users", "open", KIM, *WHO)
    for currency, amount in (("USD", "25.50"), ("EUR", "3")):
        key = new_id_text()
        ledger.credit(floor.session, user["id"], currency, Decimal(amount), transaction_id=key)
    told = run(floor, "wallets", "list", KIM)
    assert [(one["currency"], one["available"], one["reserved"]) for one in told] == [
        ("EUR", "3", "0"),
        ("USD", "25.5", "0"),
    ]
    assert run(floor, "wallets", "show", user["id"], "USD")["held"]["withdrawal"] == "0"


def test_orders_are_listed_newest_first_and_shown_with_their_events(floor: Floor) -> None:
    account, other = floor.account("100000"), floor.account("100000")
    with floor.engine() as engine:
        deal(engine, buy(account, 1000, client_order_id="first"))
        deal(engine, buy(account, 2000, limit_price="1.05", client_order_id="second"))
        deal(engine, sell(other, 3000, client_order_id="third"))
    named = [one["client_order_id"] for one in run(floor, "orders", "list")]
    assert named == ["third", "second", "first"]
    assert len(run(floor, "orders", "list", "--last", "1")) == 1
    (resting,) = run(floor, "orders", "list", "--account", account, "--status", "new")
    assert (resting["client_order_id"], resting["limit_price"]) == ("second", "1.05")
    filled = run(floor, "orders", "list", "--account", account)[1]
    shown = run(floor, "orders", "show", filled["id"])
    assert shown["status"] == "filled"
    assert [one["event_type"] for one in shown["events"]][-1] == "trade"
    assert [one["seq"] for one in shown["events"]] == [1, 2]
    words = ["orders", "show", filled["id"], "--database", floor.conninfo]
    assert "trade" in CliRunner().invoke(cli, words).stdout


def test_positions_are_listed_open_ones_unless_all_are_asked_for(floor: Floor) -> None:
    account = floor.account("100000")
    with floor.engine() as engine:
        deal(engine, buy(account, 1000))
        deal(engine, sell(account, 1000))
        deal(engine, sell(account, 2000))
    (short,) = run(floor, "positions", "list", "--account", account)
    assert (short["symbol"], short["quantity"], short["closed_at"]) == ("EURUSD", "-2000", None)
    every = run(floor, "positions", "list", "--all", "--symbol", "EURUSD")
    assert [one["is_open"] for one in every] == [True, False]


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (f"users show {NOBODY}", "USER_UNKNOWN", NOBODY),
        ("users show kim", "USER_UNKNOWN", '"kim"'),
        ("users open kim WHO", "USER_MALFORMED", '"kim" is no e-mail address'),
        (f"users open {KIM} --kyc-level 5 WHO", "USER_MALFORMED", "0 to 4"),
        (f"users open {KIM} --role boss WHO", "usage", "boss"),
        (f"users open {KIM}", "usage", "--actor"),
        (f"users grant {KIM} trader WHO", "USER_UNKNOWN", KIM),
        (f"accounts open {NOBODY} WHO", "USER_UNKNOWN", NOBODY),
        (f"accounts show {NOBODY}", "ACCOUNT_UNKNOWN", NOBODY),
        ("accounts list --user kim", "USER_UNKNOWN", "kim"),
        ("accounts list --group nobodys", "ACCOUNT_GROUP_UNKNOWN", "nobodys"),
        ("wallets list kim", "USER_UNKNOWN", "kim"),
        (f"orders show {NOBODY}", "ORDER_UNKNOWN", NOBODY),
        (f"orders list --account {NOBODY}", "ACCOUNT_UNKNOWN", NOBODY),
        (f"positions list --account {NOBODY}", "ACCOUNT_UNKNOWN", NOBODY),
        ("orders list --last 0", "usage", "1<=x"),
        ("orders list --status gone", "usage", "gone"),
    ],
)
def test_what_is_not_there_or_cannot_be_is_named(
    floor: Floor, words: str, code: str, says: str
) -> None:
    told = run(
        floor, *(word for one in words.split() for word in (WHO if one == "WHO" else (one,)))
    )
    assert (code, says in str(told)) == (str(getattr(told, "code", "usage")), True), told


@pytest.mark.parametrize(
    ("terms", "code", "says"),
    [
        ("--currency XYZ", "INPUT_CURRENCY_UNKNOWN", "XYZ"),
        ("--leverage 501", "ACCOUNT_TERMS_MALFORMED", "1 to 500"),
        ("--leverage 0", "ACCOUNT_TERMS_MALFORMED", "1 to 500"),
        ("--group nobodys", "ACCOUNT_GROUP_UNKNOWN", "nobodys"),
        ("--stop-out-level 0", "ACCOUNT_TERMS_MALFORMED", "above 0"),
        ("--stop-out-level 1e30", "ACCOUNT_TERMS_MALFORMED", "99999.9999"),
        ("--stop-out-level 110", "ACCOUNT_TERMS_MALFORMED", "is below stop-out level 110 %"),
        ("--margin-call-level 100.00001", "ACCOUNT_TERMS_MALFORMED", "At most 4"),
    ],
)
def test_terms_that_no_account_has_are_refused_with_their_range(
    floor: Floor, terms: str, code: str, says: str
) -> None:
    run(floor, "users", "open", KIM, *WHO)
    told = run(floor, "accounts", "open", KIM, *terms.split(), *WHO)
    assert (str(told.code), says in str(told)) == (code, True), told
    assert floor.one("SELECT count(*) FROM accounts") == 0


def test_an_address_is_one_user_s_and_an_account_a_trader_s(floor: Floor) -> None:
    run(floor, "users", "open", KIM, "--role", "payments_officer", *WHO)
    twice = run(floor, "users", "open", KIM, *WHO)
    assert (str(twice.code), KIM in twice.what) == ("USER_EXISTS", True)
    refused = run(floor, "accounts", "open", KIM, *WHO)
    assert (str(refused.code), "users grant" in refused.hint) == ("USER_ROLE_MISSING", True)


def test_levels_of_a_position_are_amended_through_an_engine(floor: Floor, tmp_path: Path) -> None:
    account, place = floor.account(), tmp_path / "orders.sock"
    with floor.engine() as engine, line_of(engine, place):
        deal(engine, buy(account, 1000, take_profit="1.20000"))
        (position,) = run(floor, "positions", "list")
        asked = ("positions", "amend", str(place), position["id"])
        done = run(floor, *asked, "--stop-loss", "1.05", "--no-take-profit", "--key", NOBODY)
        assert (done["stop_loss"], done["take_profit"], done["is_replay"]) == ("1.05", None, False)
        assert run(floor, *asked, "--stop-loss", "1.05", "--no-take-profit", "--key", NOBODY)[
            "is_replay"
        ]
        again = run(floor, *asked, "--stop-loss", "1.05")
        assert str(again.code) == "POSITION_LEVELS_UNCHANGED"
        assert "not both" in run(floor, *asked, "--stop-loss", "1.05", "--no-stop-loss")
        nobody = run(floor, "positions", "amend", str(place), NOBODY, "--stop-loss", "1.05")
        assert str(nobody.code) == "POSITION_UNKNOWN"
    gone = run(floor, *asked, "--stop-loss", "1.06")
    assert str(gone.code) == "ENGINE_UNREACHABLE"
    (position,) = run(floor, "positions", "list")
    assert (position["stop_loss"], position["take_profit"]) == ("1.05", None)
