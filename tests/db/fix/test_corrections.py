"""What a provider takes back or corrects is kept once with its message, and told to people."""

import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from tests.db.fix.test_provider_reconciliation import run as reconciled
from tests.fix_floor import CODE, ORDERS, FixFloor, until
from tests.floor import DAY, refusal
from tradewright.cli.main import cli
from tradewright.core.errors import ErrorCode
from tradewright.core.ids import new_id_text
from tradewright.liquidity.fix.acceptor_faults import Fault
from tradewright.liquidity.fix.actions import Keep
from tradewright.liquidity.fix.application import read_report, reported_request
from tradewright.liquidity.fix.codec import Message
from tradewright.liquidity.fix.store import PostgresStore
from tradewright.liquidity.reconciliation.model import Bucket, TradeLine
from tradewright.postgres.connect import Session, connect
from tradewright.risk.alerts import read_alerts
from tradewright.trading.corrections import (
    Decision,
    Settlement,
    list_corrections,
    settle_correction,
)

BUST: dict[int, str] = {
    37: "O-1",
    11: "R-1",
    17: "B-1",
    19: "E-1",
    150: "H",
    39: "4",
    55: "EURUSD",
    54: "1",
    38: "100",
    14: "0",
    151: "0",
    32: "100",
    31: "1.1",
    60: "20260113-10:00:00",
}


def report(**changes: str | None) -> Message:
    """Return a bust with some fields of other contents, or without them."""
    fields = BUST | {int(name[1:]): value for name, value in changes.items()}
    return Message("8", tuple((tag, text) for tag, text in fields.items() if text is not None))


def kept(stage: FixFloor, *messages: Message) -> list[Any]:
    """Keep messages as a session does; return what waits for people then."""
    query = "SELECT id::text FROM liquidity_providers WHERE code = %s"
    store = PostgresStore(
        lambda: connect(stage.conninfo, autocommit=True), stage.floor.one(query, CODE), ORDERS
    )
    first = store.numbers()[0]
    store.write([Keep(seq, seq + 1, each) for seq, each in enumerate(messages, first)])
    store.close()
    return list_corrections(stage.floor.session, count_max=10)


def test_a_bust_waits_for_people_and_changes_nothing(
    engine_database: str, engine: Session, tmp_path: Path
) -> None:
    stage = FixFloor.opened(engine_database, engine, tmp_path)
    with stage.both() as (acceptor, running):
        stage.deal(running, 10_000)
        dealt = acceptor.trades[0]
        acceptor.correct(dealt.execution_id)
        until(lambda: list_corrections(engine, count_max=10))
        stage.deal(running, 20_000)
        lines = acceptor.trades
    (bust,) = list_corrections(engine, count_max=10)
    assert (bust.kind, bust.refers_to, bust.found_as) == ("bust", dealt.execution_id, "fill")
    assert bust.account_id == stage.account
    assert bust.booked_quantity == 10_000
    assert stage.orders() == [("filled", 10_000), ("filled", 20_000)]
    (alert,) = read_alerts(engine, count_max=10)
    assert (alert.severity, alert.kind) == ("critical", "execution_corrected")
    assert dealt.execution_id in alert.what
    assert reconciled(engine, lines) == {Bucket.MATCHED: 1, Bucket.OURS_ONLY: 1}
    settle_correction(engine, bust.id, Decision(Settlement.KEPT, "user:anna", "our cost"))
    assert reconciled(engine, lines) == {Bucket.MATCHED: 1}
    assert stage.floor.broken_laws() == {}


def test_a_correction_says_what_is_right_beside_what_was_booked(
    engine_database: str, engine: Session, tmp_path: Path
) -> None:
    stage = FixFloor.opened(engine_database, engine, tmp_path)
    with stage.both() as (acceptor, running):
        stage.deal(running, 10_000)
        acceptor.correct(acceptor.trades[0].execution_id, Decimal("1.10020"))
        until(lambda: list_corrections(engine, count_max=10))
    (one,) = list_corrections(engine, count_max=10)
    assert (one.kind, one.price, one.booked_price) == (
        "correction",
        Decimal("1.10020"),
        Decimal("1.10010"),
    )
    assert stage.floor.rows("SELECT price FROM order_fills") == [(Decimal("1.10010"),)]


@pytest.mark.parametrize("faults", [[Fault.NONE], [Fault.SILENT]])
def test_an_order_whose_first_part_is_taken_back_still_gets_the_rest(
    engine_database: str, engine: Session, tmp_path: Path, faults: list[Fault]
) -> None:
    stage = FixFloor.opened(engine_database, engine, tmp_path, faults)
    with stage.both() as (acceptor, running):
        stage.deal(running, 10_000)
        acceptor.correct(acceptor.trades[0].execution_id)
        until(lambda: list_corrections(engine, count_max=10))
        stage.settle(running)
    assert stage.orders() == [("filled", 10_000)]


@pytest.mark.parametrize("kind", ["G", "H"])
@pytest.mark.parametrize("status", ["0", "1", "2", "4"])
def test_it_is_no_word_about_the_end_of_a_request(kind: str, status: str) -> None:
    message = report(_150=kind, _39=status)
    request = reported_request(message, DAY)
    assert read_report(message, CODE, request, DAY) is None


def test_the_same_one_again_is_kept_once(
    engine_database: str, engine: Session, tmp_path: Path
) -> None:
    stage = FixFloor.opened(engine_database, engine, tmp_path)
    assert len(kept(stage, report(), report(_58="again"))) == 1
    assert len(kept(stage, report(), report(_17="B-2", _19="E-2"))) == 2


@pytest.mark.parametrize(
    "changes",
    [
        {"_17": None},
        {"_17": "0", "_19": None},
        {"_32": "many", "_31": "NaN"},
        {"_32": "0", "_31": "-1"},
        {"_32": "1e400", "_31": "0.000000001"},
        {"_55": None, "_11": None, "_60": "yesterday"},
    ],
)
def test_what_cannot_be_read_is_kept_all_the_same(
    engine_database: str, engine: Session, tmp_path: Path, changes: dict[str, str | None]
) -> None:
    stage = FixFloor.opened(engine_database, engine, tmp_path)
    (one,) = kept(stage, report(**changes))
    assert (one.kind, one.found_as) == ("bust", "unknown")
    assert len(read_alerts(engine, count_max=10)) == 1
    assert stage.floor.one("SELECT count(*) FROM fix_messages") == 1


def test_people_decide_once_by_the_command(
    engine_database: str, engine: Session, tmp_path: Path
) -> None:
    stage = FixFloor.opened(engine_database, engine, tmp_path)
    (one,) = kept(stage, report())

    def command(*words: str) -> tuple[int, Any]:
        asked = ["providers", *words, "--database", engine_database, "--json"]
        done = CliRunner().invoke(cli, asked)
        return done.exit_code, json.loads(done.stdout) if done.exit_code == 0 else done.exception

    words = ("settle", one.id, "undone", "--actor", "user:anna", "--reason", "sold at 1.1")
    assert command("corrections")[1][0]["refers_to"] == "E-1"
    assert command(*words)[1]["settlement"] == "undone"
    assert command("corrections") == (0, [])
    assert [each["reason"] for each in command("corrections", "--all")[1]] == ["sold at 1.1"]
    assert command(*words)[1].code is ErrorCode.CORRECTION_SETTLED
    other = replace(one, id=new_id_text())
    for given, code in (
        ((other.id, "user:anna", "why"), ErrorCode.CORRECTION_UNKNOWN),
        ((one.id, "user:anna", " "), ErrorCode.FILL_RESOLUTION_EMPTY),
    ):
        correction_id, actor, reason = given
        error = refusal(
            lambda c=correction_id, a=actor, r=reason: settle_correction(  # type: ignore[misc]
                engine, c, Decision(Settlement.KEPT, a, r)
            )
        )
        assert error.code is code


def corrected(stage: FixFloor, engine: Session, *prices: str) -> list[str]:
    """Deal 10,000 at 1.10010, let the provider correct its price, close it; return what waits."""
    with stage.both() as (acceptor, running):
        stage.deal(running, 10_000)
        for price in prices:
            acceptor.correct(acceptor.trades[0].execution_id, Decimal(price))
        until(lambda: len(list_corrections(engine, count_max=10)) == len(prices))
    return [one.id for one in list_corrections(engine, count_max=10)]


def adjusted(session: Session, correction_id: str, approved_by: str | None = "user:ben") -> Any:
    decision = Decision(Settlement.ADJUSTED, "user:anna", "their error", approved_by)
    with session.transaction():
        return settle_correction(session, correction_id, decision)


def test_a_corrected_price_is_given_to_the_client_or_charged_once(
    engine_database: str, engine: Session, tmp_path: Path
) -> None:
    stage = FixFloor.opened(engine_database, engine, tmp_path)
    first, second = corrected(stage, engine, "1.10000", "1.10040")
    before = stage.floor.balance(stage.account)
    assert adjusted(engine, first).adjusted_by == Decimal("1.00")
    assert stage.floor.balance(stage.account) == before + 1
    assert adjusted(engine, second).adjusted_by == Decimal("-4.00")
    assert stage.floor.balance(stage.account) == before - 3
    assert refusal(lambda: adjusted(engine, first)).code is ErrorCode.CORRECTION_SETTLED
    assert stage.floor.balance(stage.account) == before - 3
    assert stage.floor.rows("SELECT price FROM trades") == [(Decimal("1.10010"),)]
    assert stage.floor.broken_laws() == {}


def test_an_adjusted_price_is_no_difference_to_the_provider_any_more(
    engine_database: str, engine: Session, tmp_path: Path
) -> None:
    stage = FixFloor.opened(engine_database, engine, tmp_path)
    with stage.both() as (acceptor, running):
        stage.deal(running, 10_000)
        dealt = acceptor.trades
        acceptor.correct(dealt[0].execution_id, Decimal("1.10000"))
        until(lambda: list_corrections(engine, count_max=10))
        lines = [replace(one, price=Decimal("1.10000")) for one in dealt]
    assert reconciled(engine, lines) == {Bucket.PRICE_MISMATCH: 1}
    adjusted(engine, list_corrections(engine, count_max=10)[0].id)
    assert reconciled(engine, lines) == {Bucket.MATCHED: 1}


def named_anew(engine: Session, dealt: list[TradeLine]) -> list[TradeLine]:
    """Return the provider's list as it names executions by the corrections that wait."""
    ids = {one.refers_to: one for one in list_corrections(engine, count_max=10)}
    named = [replace(each, execution_id=ids[each.execution_id].execution_id) for each in dealt]
    return [replace(each, price=Decimal("1.10000")) for each in named]


def test_a_list_may_name_an_execution_by_its_correction(
    engine_database: str, engine: Session, tmp_path: Path
) -> None:
    stage = FixFloor.opened(engine_database, engine, tmp_path)
    with stage.both() as (acceptor, running):
        stage.deal(running, 10_000)
        dealt = acceptor.trades
        acceptor.correct(dealt[0].execution_id, Decimal("1.10000"))
        until(lambda: list_corrections(engine, count_max=10))
    renamed = named_anew(engine, dealt)
    assert renamed[0].execution_id != dealt[0].execution_id
    assert reconciled(engine, renamed) == {Bucket.PRICE_MISMATCH: 1}
    assert reconciled(engine, [*dealt, *renamed]) == {Bucket.PRICE_MISMATCH: 1}
    adjusted(engine, list_corrections(engine, count_max=10)[0].id)
    for lines in (renamed, [*dealt, *renamed], [*renamed, *dealt]):
        assert reconciled(engine, lines) == {Bucket.MATCHED: 1}
    assert reconciled(engine, [*renamed, *renamed]) == {Bucket.DUPLICATE: 1}


def test_a_bust_of_a_correction_is_one_of_its_execution(
    engine_database: str, engine: Session, tmp_path: Path
) -> None:
    stage = FixFloor.opened(engine_database, engine, tmp_path)
    with stage.both() as (acceptor, running):
        stage.deal(running, 10_000)
        dealt = acceptor.trades[0].execution_id
    circle = report(_17="C-3", _19="C-3", _150="G")
    _, bust, _ = kept(
        stage, report(_17="C-1", _19=dealt, _150="G"), report(_17="C-2", _19="C-1"), circle
    )
    assert (bust.found_as, bust.booked_quantity) == ("fill", 10_000)
    assert reconciled(engine, []) == {Bucket.OURS_ONLY: 1}
    settle_correction(engine, bust.id, Decision(Settlement.KEPT, "user:anna", "our cost"))
    assert reconciled(engine, []) == {}


def test_money_moves_on_the_word_of_two(
    engine_database: str, engine: Session, tmp_path: Path
) -> None:
    stage = FixFloor.opened(engine_database, engine, tmp_path)
    (one,) = corrected(stage, engine, "1.10000")
    before = stage.floor.balance(stage.account)
    for approver in (None, " ", "user:anna"):
        error = refusal(lambda a=approver: adjusted(engine, one, a))  # type: ignore[misc]
        assert error.code is ErrorCode.CORRECTION_NOT_APPROVED
    kept = Decision(Settlement.KEPT, "user:anna", "our cost", "user:ben")
    error = refusal(lambda: settle_correction(engine, one, kept))
    assert error.code is ErrorCode.CORRECTION_NOT_APPROVED
    assert stage.floor.balance(stage.account) == before
    assert len(list_corrections(engine, count_max=10)) == 1


def test_a_bust_is_reversed_by_the_command_while_the_engine_runs(
    engine_database: str, engine: Session, tmp_path: Path
) -> None:
    stage = FixFloor.opened(engine_database, engine, tmp_path)
    before = stage.floor.balance(stage.account)
    with stage.both() as (acceptor, running):
        stage.deal(running, 10_000)
        stage.deal(running, 20_000)
        acceptor.correct(acceptor.trades[0].execution_id)
        until(lambda: list_corrections(engine, count_max=10))
        (bust,) = list_corrections(engine, count_max=10)
        words = ["settle", bust.id, "reversed", "--actor", "user:anna", "--reason", "their error"]
        asked = ["providers", *words, "--approved-by", "user:ben", "--json"]
        done = CliRunner().invoke(cli, [*asked, "--database", engine_database])
        stage.deal(running, 30_000)
        lines = acceptor.trades
    assert json.loads(done.stdout)["reversed_quantity"] == "10000"
    assert stage.floor.position(stage.account) == 50_000
    assert stage.floor.balance(stage.account) == before
    assert reconciled(engine, lines) == {Bucket.MATCHED: 2}
    assert stage.floor.broken_laws() == {}


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"_150": "G", "_19": "E-unknown"},
        {"_150": "G", "_32": "9000"},
        {"_150": "G", "_32": None, "_31": None},
    ],
)
def test_what_is_no_other_price_of_a_fill_is_not_adjusted(
    engine_database: str, engine: Session, tmp_path: Path, changes: dict[str, str | None]
) -> None:
    stage = FixFloor.opened(engine_database, engine, tmp_path)
    with stage.both() as (acceptor, running):
        stage.deal(running, 10_000)
        dealt = acceptor.trades[0].execution_id
    (one,) = kept(stage, report(**{"_19": dealt, "_32": "10000"} | changes))
    error = refusal(lambda: adjusted(engine, one.id))
    assert error.code is ErrorCode.CORRECTION_NOT_ADJUSTABLE
    assert stage.floor.broken_laws() == {}


def test_another_price_for_an_execution_that_was_set_aside_in_part_is_adjusted_for_the_rest(
    engine_database: str, engine: Session, tmp_path: Path
) -> None:
    stage = FixFloor.opened(engine_database, engine, tmp_path)
    with stage.both() as (acceptor, running):
        stage.deal(running, 10_000)
        dealt = acceptor.trades[0].execution_id
    stage.floor.session.execute(
        "INSERT INTO unsolicited_fills (provider_id, provider_execution_id, request_id, symbol,"
        " side, quantity, price, reason, executed_at) SELECT provider_id, provider_execution_id,"
        " order_id, 'EURUSD', 'buy', 5000, price, 'more_than_asked', quoted_at FROM order_fills"
    )
    before = stage.floor.balance(stage.account)
    changes: dict[str, str | None] = {"_19": dealt, "_32": "15000", "_31": "1.10000", "_150": "G"}
    (one,) = kept(stage, report(**changes))
    assert (one.booked_quantity, one.dealt_quantity) == (10_000, 15_000)
    assert adjusted(engine, one.id).adjusted_by == Decimal("1.00")
    assert stage.floor.balance(stage.account) == before + 1
    by_hand = {"exposure_is_kept"}  # the part was put aside without its engine
    assert stage.floor.broken_laws().keys() == by_hand


def test_a_bust_of_an_exec_id_that_two_orders_have_had_is_of_the_one_it_names(
    engine_database: str, engine: Session, tmp_path: Path
) -> None:
    stage = FixFloor.opened(engine_database, engine, tmp_path)
    with stage.both() as (_, running):
        for quantity in (10_000, 20_000):
            stage.deal(running, quantity)
    first, second = (
        row[0] for row in stage.floor.rows("SELECT request_id FROM provider_requests ORDER BY id")
    )
    stage.floor.session.execute("ALTER TABLE order_fills DISABLE TRIGGER USER")
    for name, quantity in (("E-1", 10_000), (f"E-1@{second}", 20_000)):
        stage.floor.session.execute(
            "UPDATE order_fills SET provider_execution_id = %s WHERE quantity = %s",
            (name, quantity),
        )
    stage.floor.session.execute("ALTER TABLE order_fills ENABLE TRIGGER USER")
    for request in (second, first, second):
        kept(stage, report(t11=request, t17="B-1"))
    found = kept(stage, report(t11="theirs", t17="B-2"))
    assert [one.booked_quantity for one in found] == [20_000, 10_000, 10_000]
    assert [one.refers_to for one in found] == [f"E-1@{second}", "E-1", "E-1"]
