"""A provider's list of the day beside our executions: differences open, age and close."""

import json
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.fix_floor import CODE, PRICE, Deaf, FixFloor, until
from tests.floor import DAY, refusal
from tradewright.cli.main import cli
from tradewright.core.clock import utc_now
from tradewright.core.errors import ErrorCode
from tradewright.liquidity.fix.acceptor_faults import Fault
from tradewright.liquidity.fix.trades import TradeList, trade_reports
from tradewright.liquidity.model import ProviderRequest, Side
from tradewright.liquidity.reconciliation.model import Bucket, TradeLine
from tradewright.liquidity.reconciliation.service import (
    import_trades,
    read_trade_breaks,
    reconcile,
)
from tradewright.liquidity.reconciliation.trade_list import read_trade_list, write_trade_list
from tradewright.postgres.connect import Session
from tradewright.trading.unsolicited import Resolution, list_unsolicited, resolve_unsolicited

TODAY = utc_now().date()
SINCE = TODAY - timedelta(days=1)


def play(stage: FixFloor, *, unasked: bool = False) -> list[TradeLine]:
    """Deal three orders, and something nobody asked for; return the provider's list."""
    with stage.both() as (acceptor, running):
        for _ in range(3):
            stage.deal(running, 10_000)
        if unasked:
            request = ProviderRequest("PHONE", "EURUSD", Side.SELL, Decimal(7), None, DAY)
            acceptor.deal_unasked(request, PRICE.bid)
            until(stage.aside)
        return acceptor.trades


def buckets(session: Session) -> list[str]:
    return [str(each.bucket) for each in read_trade_breaks(session)]


def run(session: Session, lines: list[TradeLine]) -> dict[Bucket, int]:
    import_trades(session, CODE, TODAY, lines)
    counts = reconcile(session, CODE, since=SINCE)
    return {bucket: count for bucket, count in counts.items() if count}


def test_a_day_without_a_difference_matches(
    engine_database: str, engine: Session, tmp_path: Path
) -> None:
    lines = play(FixFloor.opened(engine_database, engine, tmp_path, [Fault.PIECES]))
    assert run(engine, lines) == {Bucket.MATCHED: 9}
    assert buckets(engine) == []


def test_differences_open_once_and_close_when_the_provider_corrects_its_list(
    engine_database: str, engine: Session, tmp_path: Path
) -> None:
    lines = play(FixFloor.opened(engine_database, engine, tmp_path))
    wrong = [
        replace(lines[0], price=Decimal("1.2")),
        replace(lines[1], quantity=Decimal(9)),
        replace(lines[2], execution_id="NOT-OURS"),
    ]
    expected = {
        Bucket.PRICE_MISMATCH: 1,
        Bucket.QUANTITY_MISMATCH: 1,
        Bucket.THEIRS_ONLY: 1,
        Bucket.OURS_ONLY: 1,
    }
    assert run(engine, wrong) == expected
    opened = {each.execution_id: each.opened_at for each in read_trade_breaks(engine)}
    assert run(engine, wrong) == expected
    assert {each.execution_id: each.opened_at for each in read_trade_breaks(engine)} == opened
    assert run(engine, lines) == {Bucket.MATCHED: 3}
    assert buckets(engine) == []


def test_the_list_that_was_given_last_counts_though_it_was_seen_before(
    engine_database: str, engine: Session, tmp_path: Path
) -> None:
    lines = play(FixFloor.opened(engine_database, engine, tmp_path))
    short = {Bucket.MATCHED: 2, Bucket.OURS_ONLY: 1}
    assert run(engine, lines) == {Bucket.MATCHED: 3}
    assert run(engine, lines[1:]) == short
    assert run(engine, lines) == {Bucket.MATCHED: 3}
    assert run(engine, lines[::-1]) == {Bucket.MATCHED: 3}
    assert run(engine, lines[1:]) == short
    assert import_trades(engine, CODE, TODAY, lines[1:]) is None


def line_at(at: datetime) -> TradeLine:
    return TradeLine(
        execution_id="E1",
        request_id="R1",
        symbol="EURUSD",
        side=Side.SELL,
        quantity=Decimal(5),
        price=Decimal("1.1"),
        executed_at=at,
    )


@pytest.mark.parametrize("days", [-400, -2, -1, 1, 30])
def test_a_list_of_another_day_is_refused_and_nothing_of_it_kept(
    engine_database: str, engine: Session, tmp_path: Path, days: int
) -> None:
    lines = play(FixFloor.opened(engine_database, engine, tmp_path))
    other = TODAY + timedelta(days=days)
    error = refusal(lambda: import_trades(engine, CODE, other, lines))
    assert error.code is ErrorCode.STATEMENT_OF_ANOTHER_DAY
    assert str(TODAY) in (error.hint or "")
    assert run(engine, lines) == {Bucket.MATCHED: 3}


@pytest.mark.parametrize(
    ("hours", "is_taken"),
    [(-15, False), (-14, True), (-1, True), (25, True), (35, True), (36, False)],
)
def test_a_day_may_be_cut_in_any_zone(
    engine_database: str, engine: Session, tmp_path: Path, *, hours: int, is_taken: bool
) -> None:
    FixFloor.opened(engine_database, engine, tmp_path)
    day = datetime.combine(SINCE - timedelta(days=2), time(), UTC)
    lines = [line_at(day + timedelta(hours=12)), line_at(day + timedelta(hours=hours))]
    if is_taken:
        assert import_trades(engine, CODE, day.date(), lines) == 2
    else:
        error = refusal(lambda: import_trades(engine, CODE, day.date(), lines))
        assert error.code is ErrorCode.STATEMENT_OF_ANOTHER_DAY


def test_what_is_dealt_before_its_list_has_come_is_no_difference(
    engine_database: str, engine: Session, tmp_path: Path
) -> None:
    play(FixFloor.opened(engine_database, engine, tmp_path))
    counts = reconcile(engine, CODE, since=SINCE)
    assert counts[Bucket.TIMING] == 3
    import_trades(engine, CODE, TODAY, [])
    assert reconcile(engine, CODE, since=SINCE)[Bucket.OURS_ONLY] == 3
    assert buckets(engine) == ["ours_only"] * 3


def test_what_is_set_aside_stays_open_until_it_is_decided(
    engine_database: str, engine: Session, tmp_path: Path
) -> None:
    lines = play(FixFloor.opened(engine_database, engine, tmp_path), unasked=True)
    assert run(engine, lines) == {Bucket.MATCHED: 3, Bucket.SET_ASIDE: 1}
    (fill,) = list_unsolicited(engine, count_max=10)
    resolve_unsolicited(engine, fill.id, Resolution.KEPT, actor="user:anna", reason="by phone")
    assert run(engine, lines) == {Bucket.MATCHED: 4}


def test_what_was_taken_back_must_not_be_on_their_list(
    engine_database: str, engine: Session, tmp_path: Path
) -> None:
    lines = play(FixFloor.opened(engine_database, engine, tmp_path), unasked=True)
    (fill,) = list_unsolicited(engine, count_max=10)
    resolve_unsolicited(engine, fill.id, Resolution.BUSTED, actor="user:anna", reason="error")
    assert run(engine, lines) == {Bucket.MATCHED: 3, Bucket.THEIRS_ONLY: 1}
    assert run(engine, [each for each in lines if each.quantity != 7]) == {Bucket.MATCHED: 3}


def test_an_open_difference_is_compared_again_however_old_it_is(
    engine_database: str, engine: Session, tmp_path: Path
) -> None:
    lines = play(FixFloor.opened(engine_database, engine, tmp_path))
    run(engine, lines[1:])
    assert buckets(engine) == ["ours_only"]
    tomorrow = TODAY + timedelta(days=1)
    reconcile(engine, CODE, since=tomorrow)
    assert [each.bucket for each in read_trade_breaks(engine, CODE)] == [Bucket.OURS_ONLY]
    import_trades(engine, CODE, TODAY, lines)
    reconcile(engine, CODE, since=tomorrow)
    assert buckets(engine) == []


def test_a_list_is_fetched_over_fix_whole(
    engine_database: str, engine: Session, tmp_path: Path
) -> None:
    stage = FixFloor.opened(engine_database, engine, tmp_path, [Fault.PIECES])
    lines = play(stage)
    with stage.provider():
        gateway = stage.gateway()
        gateway.open(Deaf())
        until(lambda: gateway.is_ready)
        asked, other = gateway.ask_trades(TODAY - timedelta(days=1)), gateway.ask_trades(TODAY)
        until(lambda: other.is_whole)
        gateway.close()
    assert list(other.lines.values()) == lines
    assert asked.lines == {}
    assert run(engine, list(other.lines.values())) == {Bucket.MATCHED: 9}


def test_a_line_that_cannot_be_read_is_told_as_it_stands() -> None:
    text = write_trade_list([line_at(DAY)]).replace(",5,", ",five,")
    error = refusal(lambda: read_trade_list(text.encode()))
    assert error.code is ErrorCode.STATEMENT_UNREADABLE
    assert "line 2" in error.what
    assert "'quantity': 'five'" in (error.why or "")
    assert "class" not in (error.why or "")


def test_a_list_of_which_a_report_is_missing_is_none() -> None:
    asked = TradeList("ours")
    line = TradeLine(
        execution_id="E1",
        request_id="R1",
        symbol="EURUSD",
        side=Side.SELL,
        quantity=Decimal(5),
        price=Decimal("1.1"),
        executed_at=DAY,
    )
    first, second, third = trade_reports("ours", [line, replace(line, execution_id="E2")])
    for message in (first, second, second, *trade_reports("another", [line])):
        asked.take(message)
    assert not asked.is_whole
    asked.take(third)
    assert asked.is_whole
    assert asked.lines["T-E1"] == line


def test_a_provider_that_is_not_listed_is_refused(engine: Session) -> None:
    for work in (
        lambda: import_trades(engine, "LP-NONE", TODAY, []),
        lambda: reconcile(engine, "LP-NONE", since=SINCE),
    ):
        assert refusal(work).code is ErrorCode.PROVIDER_UNKNOWN


@pytest.mark.parametrize("is_whole", [True, False])
def test_the_command_takes_a_list_and_tells_differences_by_its_exit(
    engine_database: str, engine: Session, tmp_path: Path, *, is_whole: bool
) -> None:
    lines = play(FixFloor.opened(engine_database, engine, tmp_path))
    file = tmp_path / "trades.csv"
    file.write_text(write_trade_list(lines if is_whole else lines[1:]))
    words = ["providers", "reconcile", CODE, f"{TODAY}", str(file), "--json"]
    done = CliRunner().invoke(cli, [*words, "--database", engine_database])
    assert (done.exit_code, json.loads(done.stdout)["matched"]) == ((0, 3) if is_whole else (1, 2))
    listed = CliRunner().invoke(
        cli, ["providers", "breaks", "--json", "--database", engine_database]
    )
    assert [each["bucket"] for each in json.loads(listed.stdout)] == (
        [] if is_whole else ["ours_only"]
    )
