"""`tradewright payments` as an officer meets it: facts as JSON, refusals with their codes."""

import json
from decimal import Decimal
from pathlib import Path
from signal import SIGINT
from typing import Any

import psycopg
import pytest

from tests.cast import open_user, value
from tests.e2e.trading_day import start as begin
from tests.news import deposited, news, settled_user, start, tell, wallet
from tradewright import audit
from tradewright.cli.main import main
from tradewright.core.clock import utc_now
from tradewright.core.errors import ErrorCode, TradewrightError
from tradewright.core.ids import new_id_text
from tradewright.payments import (
    PaymentKind,
    PaymentRequest,
    PaymentStatus,
    Provider,
    cancel_deposit,
    find_payment,
)
from tradewright.payments.attempts import ask_for_payment
from tradewright.payments.webhooks.post import Endpoint, post
from tradewright.payments.webhooks.signature import new_secret
from tradewright.postgres.connect import Session
from tradewright.postgres.refusals import translate


@pytest.fixture
def run(
    engine_database: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Any:
    """Give a function that runs a command and returns its exit status and what it said."""
    monkeypatch.setenv("DATABASE_URL", engine_database)

    def ran(*words: str) -> tuple[object, Any]:
        with pytest.raises(SystemExit) as caught:
            main(["payments", *words, "--json"])
        return caught.value.code, json.loads(capsys.readouterr().out)

    return ran


def test_a_state_that_there_is_not_is_refused(
    engine_database: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["payments", "list", "--status", "foo", "--database", engine_database])
    assert caught.value.code == 2
    assert "'foo' is not one of 'pending', 'requires_approval'" in capsys.readouterr().err


def test_an_officer_finds_approves_and_refuses_what_waits(engine: Session, run: Any) -> None:
    user_id, officer_id = settled_user(engine, "9000"), open_user(engine, role="payments_officer")
    first, second = (start(engine, user_id, "2500", kind=PaymentKind.WITHDRAWAL) for _ in "ab")
    status, listed = run("list", "--status", "requires_approval", "--user", user_id)
    assert (status, [each["id"] for each in listed]) == (0, [second.id, first.id])
    assert listed[0]["amount"] == "2500"
    assert run("list", "--user", f"{user_id}@example.org")[1] == run("list", "--user", user_id)[1]
    assert run("list", "--user", "nobody")[1]["error"]["code"] == "USER_UNKNOWN"
    status, approved = run("approve", first.id, "--officer", officer_id)
    assert (status, approved["status"]) == (0, "processing")
    status, refused = run("refuse", second.id, "--officer", officer_id, "--reason", "no proof")
    assert (status, refused["status"], refused["failure_reason"]) == (0, "failed", "no proof")
    status, told = run("approve", second.id, "--officer", officer_id)
    assert (status, told["error"]["code"]) == (1, "PAYMENT_STATE_REFUSED")
    status, shown = run("show", first.id)
    assert (status, shown["approved_by"], len(shown["fraud_checks"])) == (0, officer_id, 1)


def test_what_was_refused_before_it_began_is_listed(engine: Session, run: Any) -> None:
    user_id = settled_user(engine)
    with pytest.raises(TradewrightError):
        ask_for_payment(engine, over_the_limit(user_id), actor="test")
    status, listed = run("refused", "--user", f"{user_id}@example.org")
    told = [(each["user_id"], each["code"]) for each in listed]
    assert (status, told) == (0, [(user_id, "PAYMENT_LIMIT_EXCEEDED")])
    assert run("refused", "--user", open_user(engine)) == (0, [])


def over_the_limit(user_id: str) -> PaymentRequest:
    return PaymentRequest(
        payment_id=new_id_text(),
        user_id=user_id,
        kind=PaymentKind.DEPOSIT,
        currency="USD",
        amount=Decimal(10**9),
        provider=Provider.CARDS,
    )


def test_statements_are_reconciled_and_the_day_settled(
    engine: Session, run: Any, tmp_path: Path
) -> None:
    payment, today = deposited(engine, settled_user(engine)), str(utc_now().date())
    statement = tmp_path / "cards.csv"
    head = "kind,reference,currency,amount,fee,booked_on\n"
    statement.write_text(f"{head}deposit,ch_{payment.id},USD,99.00,1.65,{today}\n")
    status, counts = run("reconcile", str(statement))
    assert (status, counts["amount_mismatch"], counts["matched"]) == (1, 1, 0)
    status, breaks = run("breaks")
    assert (status, breaks[0]["bucket"]) == (0, "amount_mismatch")
    status, told = run("settle", today)
    assert (status, told["error"]["code"]) == (1, "SETTLEMENT_NOT_RECONCILED")
    status, told = run("reconcile", str(Path(__file__)))
    assert (status, told["error"]["code"]) == (1, "STATEMENT_UNREADABLE")
    [[kept]] = [listed for _, listed in [run("statements")]]
    why = ("--actor", "user:anna", "--reason", "the other provider's")
    status, told = run("withdraw-statement", kept["id"], *why)
    assert (status, told) == (0, {"withdrawn": kept["id"], "provider": "cards"})
    assert run("statements")[1][0]["withdrawn_by"] == "user:anna"
    assert run("reconcile", "--since", today)[1]["amount_mismatch"] == 0


def test_messages_that_wait_are_listed_and_tried_again(engine: Session, run: Any) -> None:
    payment = start(engine, settled_user(engine))
    tell(engine, news(payment, "refund.succeeded", amount="1"))
    status, waiting = run("events", "--status", "waiting")
    assert (status, [each["event_type"] for each in waiting]) == (0, ["refund.succeeded"])
    assert run("retry") == (0, {"no_longer_waiting": 0})


def test_news_that_waited_for_the_approval_are_taken_with_it(engine: Session, run: Any) -> None:
    user_id, officer_id = settled_user(engine), open_user(engine, role="payments_officer")
    payment = start(engine, user_id)
    with engine.transaction():
        cancel_deposit(engine, payment.id)
    tell(engine, news(payment, "charge.succeeded"))
    tell(engine, news(payment, "refund.succeeded", amount="30"))
    status, approved = run("approve", payment.id, "--officer", officer_id)
    assert (status, approved["status"]) == (0, "succeeded")
    assert wallet(engine, user_id) == (70, 0)


def test_rates_are_recorded_and_bad_ones_refused(run: Any) -> None:
    assert run("rate", "BTC", "USD", "64250.00")[1]["rate"] == "64250"
    status, told = run("rate", "BTC", "BTC", "1")
    assert (status, told["error"]["code"]) == (1, "EXCHANGE_RATE_MALFORMED")


def test_an_unknown_payment_is_told_by_its_code(run: Any) -> None:
    status, told = run("show", new_id_text())
    assert (status, told["error"]["code"]) == (1, "PAYMENT_UNKNOWN")


def test_the_endpoint_takes_signed_messages_until_it_is_interrupted(
    engine: Session, engine_database: str
) -> None:
    payment, secret = start(engine, settled_user(engine)), new_secret()
    words = ("payments", "receive", "--database", engine_database, "--cards-secret", secret)
    process = begin(*words, "--json")
    try:
        assert process.stdout is not None
        address = json.loads(process.stdout.readline())["address"]
        endpoint = Endpoint(f"{address}/v1/webhooks/cards", [secret])
        assert post(endpoint, "evt_1", news(payment, "charge.succeeded")).is_taken
    finally:
        process.send_signal(SIGINT)
        out, err = process.communicate(timeout=30)
    assert (process.returncode, out, err) == (0, "", "")
    assert find_payment(engine, payment.id).status is PaymentStatus.SUCCEEDED


def test_payments_are_begun_by_hand_within_their_limits(engine: Session, run: Any) -> None:
    user_id, why = settled_user(engine), ("--actor", "user:anna", "--reason", "wire of today")
    key = ("--payment-id", new_id_text())
    for _ in "ab":
        status, begun = run("begin", "deposit", user_id, "250.00", "USD", *key, *why)
        assert (status, begun["status"], begun["id"]) == (0, "succeeded", key[1])
    assert wallet(engine, user_id) == (250, 0)
    status, begun = run("begin", "withdrawal", user_id, "20", "USD", *why)
    # Withdrawn straight after a deposit, without a trade: an officer looks.
    assert (status, begun["status"]) == (0, "requires_approval")
    assert wallet(engine, user_id) == (230, 20)
    actor = "SELECT DISTINCT actor FROM audit_log WHERE table_name = 'payment_transactions'"
    assert value(engine, f"{actor} AND row_id = '{begun['id']}'") == "user:anna"
    for words, code in (
        (("withdrawal", user_id, "900", "USD"), "MONEY_INSUFFICIENT_FUNDS"),
        (("deposit", user_id, "1.001", "USD"), "INPUT_AMOUNT_OVER_SCALED"),
        (("deposit", "nobody@example.org", "1", "USD"), "USER_UNKNOWN"),
        (("deposit", user_id, "900000000", "USD"), "PAYMENT_LIMIT_EXCEEDED"),
    ):
        status, told = run("begin", *words, *why)
        assert (status, told["error"]["code"]) == (1, code)
    assert wallet(engine, user_id) == (230, 20)


WHY = ("--actor", "user:anna", "--reason", "agreed with compliance")


def test_a_limit_that_is_set_holds_for_the_next_payment_and_is_audited(
    engine: Session, run: Any
) -> None:
    user_id = settled_user(engine, kyc_level=1)
    deposit = ("begin", "deposit", user_id, "1500", "USD", *WHY)
    status, told = run(*deposit)
    assert (status, told["error"]["code"]) == (1, "PAYMENT_LIMIT_EXCEEDED")
    status, terms = run("limit", "set", "deposit", "1", "--at-once", "1500", *WHY)
    held = {"amount_max": "1500", "daily_max": "2000", "rolling_max": "10000"}
    assert (status, terms) == (0, {"kyc_level": 1, "kind": "deposit", **held})
    status, listed = run("limit", "list", "--kyc-level", "1", "--kind", "deposit")
    assert listed == [terms]
    assert run(*deposit)[0] == 0
    status, again = run("limit", "set", "deposit", "1", "--at-once", "1500", *WHY)
    assert (status, again) == (0, terms)
    trail = engine.execute(
        "SELECT actor, reason, changes -> 'amount_max' FROM audit_log"
        " WHERE table_name = 'payment_limits' AND action = 'update'"
    ).fetchall()
    assert trail == [("user:anna", "agreed with compliance", [1000, 1500])]
    engine.execute("UPDATE payment_limits SET rolling_max = rolling_max + 1")
    audit.require_laws(audit.check_laws(engine))


def test_a_level_without_a_limit_is_given_one_that_holds_over_all_currencies(
    engine: Session, run: Any
) -> None:
    user_id = settled_user(engine, kyc_level=0)
    three = ("--at-once", "1", "--daily", "2", "--rolling", "2")
    status, terms = run("limit", "set", "deposit", "0", *three, *WHY)
    assert (status, terms["daily_max"]) == (0, "2")
    deposit = ("begin", "deposit", user_id)
    assert run(*deposit, "0.80", "CHF", *WHY)[1]["error"]["code"] == "EXCHANGE_RATE_MISSING"
    run("rate", "CHF", "USD", "1.25")
    for money, ends in (("0.81 CHF", 1), ("0.80 CHF", 0), ("1 USD", 0), ("0.01 USD", 1)):
        assert run(*deposit, *money.split(), *WHY)[0] == ends
    taken = {"daily_max": "2", "daily_taken": "2", "rolling_max": "2", "rolling_taken": "2"}
    assert run("limit", "taken", user_id)[1][0] == {"kind": "deposit", **taken, "left": "0"}
    assert value(engine, "SELECT revision FROM payment_limits WHERE kyc_level = 0") == 1


def test_a_limit_that_is_refused_changes_nothing(engine: Session, run: Any) -> None:
    before = engine.execute("SELECT * FROM payment_limits ORDER BY id").fetchall()
    for words in (("1", "--daily", "1"), ("0", "--daily", "1"), ("5",)):
        status, told = run("limit", "set", "deposit", *words, "--at-once", "9", *WHY)
        assert (status, told["error"]["code"]) == (1, "PAYMENT_LIMIT_MALFORMED")
    assert engine.execute("SELECT * FROM payment_limits ORDER BY id").fetchall() == before


@pytest.mark.parametrize(
    ("columns", "constraint"),
    [
        ("amount_max = -1", "payment_limits_amount_max_not_negative"),
        ("daily_max = 0.01", "payment_limits_daily_max_not_below_amount_max"),
        ("rolling_max = daily_max - 0.01", "payment_limits_rolling_max_not_below_daily_max"),
    ],
)
def test_the_database_keeps_the_amounts_of_a_limit_rising(
    engine: Session, columns: str, constraint: str
) -> None:
    with pytest.raises(psycopg.errors.CheckViolation) as caught:
        engine.execute(f"UPDATE payment_limits SET {columns}".encode())
    assert caught.value.diag.constraint_name == constraint
    assert translate(caught.value).code is ErrorCode.PAYMENT_LIMIT_MALFORMED
