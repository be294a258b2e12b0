"""What settings refuse, as it is read: the value, what it may be, and no word of the database."""

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.floor import Floor
from tradewright.cli.main import LateGroup, cli
from tradewright.postgres.last_words import house_error

assert isinstance(cli, LateGroup)

NOBODY = "00000000-0000-7000-8000-000000000000"
WHO = {" WHO": ("--actor", "anna", "--reason", "agreed"), " ACTOR": ("--actor", "anna")}
RAW = re.compile(r"violates|relation \"|Failing row|DETAIL|numeric field|constraint|Traceback|0E-8")


def told(floor: Floor, words: str) -> tuple[str, str]:
    """Run a command; return the code of its error, and all that a person reads of it."""
    mark = next((mark for mark in WHO if mark in words), "\n")
    before, _, after = words.partition(mark)
    options = [*WHO.get(mark, ()), "--database", floor.conninfo]
    done = CliRunner().invoke(cli, [*before.split(), *options, *after.split()])
    if done.exception is None or isinstance(done.exception, SystemExit):
        return ("usage" if done.exit_code == 2 else "done", done.output)
    error = house_error(done.exception)  # type: ignore[arg-type]
    assert error is not None, done.exception
    assert error.why, error
    assert error.hint, error
    return str(error.code), error.render()


MOST = "999999999999.99999999"


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        ("commissions set bps --symbol EURUSD WHO -- -1", "COMMISSION_TERMS_MALFORMED", "rate -1 "),
        ("commissions set per_lot 1e30 --symbol EURUSD WHO", "COMMISSION_TERMS_MALFORMED", MOST),
        (
            "commissions set bps 10001 --symbol EURUSD WHO",
            "COMMISSION_TERMS_MALFORMED",
            "0 to 10000",
        ),
        (
            "commissions set bps 0.123456789 --symbol EURUSD WHO",
            "COMMISSION_TERMS_MALFORMED",
            "0.123456789 has too many decimals",
        ),
        (
            "commissions set per_lot 1 --minimum 1e30 --symbol EURUSD WHO",
            "COMMISSION_TERMS_MALFORMED",
            "least commission",
        ),
        ("commissions set bps NaN --symbol EURUSD WHO", "usage", "'NaN' is not a finite number"),
        ("commissions set bps 1 --symbol NOSUCH WHO", "INSTRUMENT_UNKNOWN", '"NOSUCH"'),
        ("commissions set bps 1 --group nobodys WHO", "ACCOUNT_GROUP_UNKNOWN", '"nobodys"'),
        (
            "commissions set per_lot 1 --currency XYZ --symbol EURUSD WHO",
            "INPUT_CURRENCY_UNKNOWN",
            '"XYZ"',
        ),
        (
            "swaps set EURUSD points --long=1e30 --short=1 --from 2026-01-01",
            "SWAP_TERMS_MALFORMED",
            f"-{MOST} to {MOST}",
        ),
        (
            "swaps set EURUSD points --long=1 --short=0.123456789 --from 2026-01-01",
            "SWAP_TERMS_MALFORMED",
            "too many decimals",
        ),
        (
            "swaps set EURUSD money --long=1 --short=1 --from 2026-01-01 --currency XYZ",
            "INPUT_CURRENCY_UNKNOWN",
            '"XYZ"',
        ),
        (
            "swaps set NOSUCH points --long=1 --short=1 --from 2026-01-01",
            "INSTRUMENT_UNKNOWN",
            '"NOSUCH"',
        ),
        ("swaps holiday XYZ 2026-05-01", "INPUT_CURRENCY_UNKNOWN", '"XYZ"'),
        ("margin set EURUSD --rate 101 ACTOR", "MARGIN_TERMS_MALFORMED", "101 % is out of range"),
        ("margin set EURUSD --rate=-1 ACTOR", "MARGIN_TERMS_MALFORMED", "0 to 100 %"),
        ("margin set EURUSD --retail-min 1e30 ACTOR", "MARGIN_TERMS_MALFORMED", "0 to 100 %"),
        ("margin set EURUSD --rate 0.1234567 ACTOR", "MARGIN_TERMS_MALFORMED", "At most 6"),
        ("margin set NOSUCH --rate 1 ACTOR", "INSTRUMENT_UNKNOWN", '"NOSUCH"'),
        ("margin tiers EURUSD 1e30=2 ACTOR", "MARGIN_TERMS_MALFORMED", "threshold of a tier"),
        ("margin tiers EURUSD 1000=200 ACTOR", "MARGIN_TERMS_MALFORMED", "200 % is out of range"),
        ("margin tiers EURUSD 1000=2 1000=3 ACTOR", "MARGIN_TERMS_MALFORMED", "3 % above 1000"),
        ("risk limit set open_orders 1e30 ACTOR", "RISK_LIMIT_MALFORMED", MOST),
        ("risk limit set open_orders ACTOR -- -1", "RISK_LIMIT_MALFORMED", "-1 is out of range"),
        ("risk limit set order_value 10 ACTOR", "RISK_LIMIT_MALFORMED", "without a currency"),
        ("risk limit set open_orders 10 --currency EUR ACTOR", "RISK_LIMIT_MALFORMED", "in EUR"),
        (
            "risk limit set order_value 10 --currency XYZ ACTOR",
            "INPUT_CURRENCY_UNKNOWN",
            '"XYZ"',
        ),
        ("risk limit set open_orders 1 --group nobodys ACTOR", "ACCOUNT_GROUP_UNKNOWN", "nobodys"),
        (f"risk limit set open_orders 1 --account {NOBODY} ACTOR", "ACCOUNT_UNKNOWN", NOBODY),
        ("risk limit set open_orders 1 --symbol NOSUCH ACTOR", "INSTRUMENT_UNKNOWN", "NOSUCH"),
        ("risk halt --symbol NOSUCH WHO", "INSTRUMENT_UNKNOWN", "NOSUCH"),
        ("risk reduce-only --group nobodys WHO", "ACCOUNT_GROUP_UNKNOWN", "nobodys"),
        ("risk breaker add A! manual WHO", "BREAKER_MALFORMED", '"A!" is no code'),
        ("risk breaker add chf manual --threshold 3 WHO", "BREAKER_MALFORMED", "--threshold away"),
        (
            "risk breaker add chf volume --threshold 3 --window 9 WHO",
            "BREAKER_MALFORMED",
            "lacks --currency",
        ),
        (
            "risk breaker add chf loss --threshold 3 --window 9 --currency XYZ WHO",
            "INPUT_CURRENCY_UNKNOWN",
            '"XYZ"',
        ),
        (
            "risk breaker add chf error_rate --threshold 101 --window 9 WHO",
            "BREAKER_MALFORMED",
            "above 0 to 100",
        ),
        ("risk breaker add chf volatility --symbol EURUSD WHO", "BREAKER_MALFORMED", "--window"),
        ("risk breaker add chf manual --reset 1000000 WHO", "BREAKER_MALFORMED", "0 to 604800"),
        (f"risk breaker add chf manual --reset 1{'0' * 30} WHO", "BREAKER_MALFORMED", "604800"),
        (
            "risk breaker add chf price_movement --symbol EURUSD --threshold 1e30 --window 1 WHO",
            "BREAKER_MALFORMED",
            MOST,
        ),
        (
            "risk breaker add chf price_movement --symbol NOSUCH --threshold 1 --window 1 WHO",
            "INSTRUMENT_UNKNOWN",
            "NOSUCH",
        ),
        ("instruments set EURUSD --quantity-step=-1 WHO", "INSTRUMENT_TERMS_MALFORMED", "step -1"),
        ("instruments set EURUSD --quantity-max 1e30 WHO", "INSTRUMENT_TERMS_MALFORMED", MOST),
        (
            "instruments set EURUSD --price-tick 0.123456789 WHO",
            "INSTRUMENT_TERMS_MALFORMED",
            "too many decimals",
        ),
        ("instruments set EURUSD --leverage-max 501 WHO", "INSTRUMENT_TERMS_MALFORMED", "1 to 500"),
        (
            f"instruments set EURUSD --leverage-max 1{'0' * 30} WHO",
            "INSTRUMENT_TERMS_MALFORMED",
            "1 to 500",
        ),
        (
            "instruments set EURUSD --leverage-max-retail 31 WHO",
            "INSTRUMENT_TERMS_MALFORMED",
            "at most 30",
        ),
        (
            "instruments set EURUSD --quantity-min 1500 WHO",
            "INSTRUMENT_TERMS_MALFORMED",
            "no multiple of its step 1000",
        ),
        (
            "instruments set EURUSD --quote-age-ms-max 0 WHO",
            "INSTRUMENT_TERMS_MALFORMED",
            "1 to 2147483647",
        ),
        ("instruments set NOSUCH --no-tradable WHO", "INSTRUMENT_UNKNOWN", "NOSUCH"),
        (
            (
                "instruments add EURXYZ --quantity-step 1 --quantity-max 9 --price-tick 1"
                " --leverage-max 5 WHO"
            ),
            "INPUT_CURRENCY_UNKNOWN",
            "XYZ",
        ),
        ("payments limit set deposit 5 --daily 1 WHO", "PAYMENT_LIMIT_MALFORMED", "0 to 4"),
        (
            f"payments limit set deposit 1{'0' * 30} --daily 1 WHO",
            "PAYMENT_LIMIT_MALFORMED",
            "4",
        ),
        ("payments limit set deposit 1 --daily=-1 WHO", "PAYMENT_LIMIT_MALFORMED", "-1 USD"),
        (
            "payments limit set deposit 1 --rolling 1e30 WHO",
            "PAYMENT_LIMIT_MALFORMED",
            "0 to 999999999999.99 USD",
        ),
        (
            "payments limit set deposit 1 --daily 2000.005 WHO",
            "PAYMENT_LIMIT_MALFORMED",
            "2000.005 USD has too many decimals",
        ),
        (
            "payments limit set deposit 1 --daily 999 WHO",
            "PAYMENT_LIMIT_MALFORMED",
            "daily limit 999 USD is below limit at once 1000 USD",
        ),
        (
            "payments limit set deposit 1 --daily 10001 WHO",
            "PAYMENT_LIMIT_MALFORMED",
            "limit of 30 days 10000 USD is below daily limit 10001 USD",
        ),
        (
            "payments limit set deposit 0 --daily 1 WHO",
            "PAYMENT_LIMIT_MALFORMED",
            "lacks: limit at once, limit of 30 days",
        ),
        ("payments limit set deposit 1 WHO", "usage", "at least one of --at-once"),
        ("payments limit set deposit 1 --daily NaN WHO", "usage", "'NaN'"),
        ("payments limit set deposit one --daily 1 WHO", "usage", "'one'"),
        ("groups open A! WHO", "ACCOUNT_GROUP_MALFORMED", '"A!"'),
        ("groups open standard WHO", "ACCOUNT_GROUP_EXISTS", '"standard"'),
        ("routing set EURUSD --default-percent 101 WHO", "ROUTING_TERMS_MALFORMED", "0 to 100"),
        ("routing set EURUSD --default-percent=-1 WHO", "ROUTING_TERMS_MALFORMED", "-1 "),
        ("routing set EURUSD --size 2 1 WHO", "ROUTING_TERMS_MALFORMED", "from 2 to 1"),
        ("routing set EURUSD --size 1 1e30 WHO", "ROUTING_TERMS_MALFORMED", MOST),
        ("routing set EURUSD --toxicity 0.12345 1 WHO", "ROUTING_TERMS_MALFORMED", "At most 4"),
        ("routing set EURUSD --win-bps 1e30 WHO", "ROUTING_TERMS_MALFORMED", "99999999.9999"),
        ("routing set EURUSD --exposure-limit 0 WHO", "ROUTING_TERMS_MALFORMED", "above 0"),
        ("routing set EURUSD --hedge-target 1 WHO", "ROUTING_TERMS_MALFORMED", "--exposure-limit"),
        ("routing set NOSUCH --default-percent 1 WHO", "INSTRUMENT_UNKNOWN", "NOSUCH"),
        ("routing add-rule 1 101 WHO", "ROUTING_TERMS_MALFORMED", "0 to 100"),
        (f"routing add-rule 1{'0' * 30} 1 WHO", "ROUTING_TERMS_MALFORMED", "priority"),
        (
            "routing add-rule 1 1 --quantity-min 5 --quantity-max 4 WHO",
            "ROUTING_TERMS_MALFORMED",
            "from 5 to 4",
        ),
        (f"routing add-rule 1 1 --user-id {NOBODY} WHO", "USER_UNKNOWN", NOBODY),
        ("routing override manual --percent 101 WHO", "ROUTING_TERMS_MALFORMED", "0 to 100"),
        ("routing override halt --percent 5 WHO", "ROUTING_TERMS_MALFORMED", "5 %"),
        (f"routing override manual --user {NOBODY} WHO", "USER_UNKNOWN", NOBODY),
        ("routing override manual --symbol NOSUCH WHO", "INSTRUMENT_UNKNOWN", "NOSUCH"),
        ("routing show NOSUCH", "INSTRUMENT_UNKNOWN", '"NOSUCH"'),
        (f"routing profile {NOBODY} --symbol EURUSD", "ROUTING_POLICY_MISSING", "routing set"),
        ("risk limit clear open_orders --group nobodys ACTOR", "ACCOUNT_GROUP_UNKNOWN", "nobodys"),
        ("risk limit clear open_orders --symbol EURUSD ACTOR", "RISK_LIMIT_UNKNOWN", "EURUSD"),
        ("risk resume --symbol NOSUCH WHO", "INSTRUMENT_UNKNOWN", '"NOSUCH"'),
        (f"risk resume --account {NOBODY} WHO", "ACCOUNT_UNKNOWN", NOBODY),
        ("providers breaks --provider NOSUCH", "PROVIDER_UNKNOWN", '"NOSUCH"'),
        (f"payments list --user {NOBODY}", "USER_UNKNOWN", NOBODY),
        ("commissions show --symbol EURUSD --currency XYZ", "INPUT_CURRENCY_UNKNOWN", '"XYZ"'),
        (f"audit show {NOBODY}", "done", "nothing is recorded"),
        ("payments rate abc USD 1", "INPUT_CURRENCY_UNKNOWN", '"abc"'),
        ("payments rate EUR USD abc", "usage", "'abc' is not a number"),
        ("payments rate EUR USD 0", "EXCHANGE_RATE_MALFORMED", "above 0"),
        ("payments rate EUR USD 1e30", "EXCHANGE_RATE_MALFORMED", MOST),
        ("payments rate EUR USD 0.123456789", "EXCHANGE_RATE_MALFORMED", "too many decimals"),
        ("payments rate EUR EUR 1", "EXCHANGE_RATE_MALFORMED", "no rate from EUR to EUR"),
        (
            "providers connect bad! orders h 1 --sender A --target B ACTOR",
            "PROVIDER_MALFORMED",
            '"bad!" is no code',
        ),
        (
            "providers connect LP-ONE orders h 1 --sender Ä --target B ACTOR",
            "PROVIDER_MALFORMED",
            '"Ä" is no CompID',
        ),
        ("providers connect LP-ONE orders h 70000 --sender A --target B ACTOR", "usage", "65535"),
        (
            "providers connect NEW orders h 1 --sender A --target B --priority 40000 ACTOR",
            "usage",
            "32767",
        ),
        ("providers enable NOSUCH WHO", "PROVIDER_UNKNOWN", "NOSUCH"),
        ("payments receive --port 70000", "usage", "65535"),
        ("payments receive", "WEBHOOK_KEY_MISSING", "TRADEWRIGHT_CARDS_SECRETS"),
        (f"audit show {NOBODY} --last -1", "usage", "1<=x"),
        ("audit laws --examples -1", "usage", "0<=x"),
        ("payments deliver http://127.0.0.1 --secret x --at-most 0", "usage", "1<=x"),
        ("providers check LP-ONE --seconds 0", "usage", "1<=x"),
    ],
)
def test_a_refused_value_is_told_with_what_it_may_be(
    floor: Floor, words: str, code: str, says: str
) -> None:
    found, text = told(floor, words)
    assert found == code, text
    assert says in text
    assert not RAW.search(text), text


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        ("risk breaker add chf manual WHO", "BREAKER_MALFORMED", 'code "chf" is there already'),
        ("risk reduce-only --symbol EURUSD WHO", "TRADING_HALT_EXISTS", "risk halts"),
        ("routing override manual WHO", "ROUTING_OVERRIDE_EXISTS", "routing lift"),
        (
            "swaps set EURUSD points --long=1 --short=1 --from 2026-01-01",
            "SWAP_TERMS_SET",
            '"EURUSD"',
        ),
    ],
)
def test_what_is_said_twice_is_refused_in_words(
    floor: Floor, words: str, code: str, says: str
) -> None:
    told(floor, words)
    found, text = told(floor, words)
    assert (found, says in text) == (code, True), text
    assert not RAW.search(text), text


def test_amounts_are_printed_without_exponents(floor: Floor) -> None:
    words = ["commissions", "set", "bps", "0.00000001", "--symbol", "EURUSD", *WHO[" WHO"]]
    done = CliRunner().invoke(cli, [*words, "--database", floor.conninfo, "--json"])
    assert json.loads(done.stdout)["rate"] == "0.00000001"
    floor.account("100")
    for command in ("ledger house", "commissions list", "risk limit list", "instruments list"):
        for form in ([], ["--json"]):
            asked = [*command.split(), "--database", floor.conninfo, *form]
            shown = CliRunner().invoke(cli, asked)
            assert shown.exit_code == 0, shown.output
            assert not re.search(r"\dE[-+]\d", shown.stdout), shown.stdout


@pytest.mark.parametrize("port", ["--port", "--quotes-port"])
def test_a_port_out_of_range_is_wrong_usage(port: str, tmp_path: Path) -> None:
    words = ["providers", "simulate", str(tmp_path / "lp"), "--price", "EURUSD=1/2", port, "70000"]
    done = CliRunner().invoke(cli, words)
    assert (done.exit_code, "65535" in done.stderr) == (2, True)
