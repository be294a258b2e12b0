"""The soak of a house: seeds replay, wrong answers are seen, and programs are looked after."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from itertools import islice
from pathlib import Path

import pytest

from tradewright.core.clock import monotonic_seconds, pause
from tradewright.soak.house.asking import Asked, Memory, Request, contradicting, report_of
from tradewright.soak.house.checking import hold_payments, wrong_answers
from tradewright.soak.house.commands import Command, CommandStream, Kind
from tradewright.soak.house.programs import Program, again_and_again
from tradewright.soak.house.stage import SEATS, Seat
from tradewright.soak.trading.asking import Outcome
from tradewright.soak.trading.promises import Findings
from tradewright.trading.model import CancelOrder, OrderReport, OrderStatus, SubmitOrder

ACCOUNTS = [Seat(f"account-{number}", f"key-{number}") for number in range(SEATS)]


def drawn(kind: Kind) -> Command:
    """Return the first command of a kind."""
    return next(one for one in CommandStream(1, 0, SEATS) if one.kind is kind)


def done(kind: Kind, *, status: int = 201, order_id: str = "order") -> Asked:
    """Return a command that was answered as done."""
    command = drawn(kind)
    request = Memory(ACCOUNTS).request(command, [])
    report = OrderReport(
        order_id=order_id,
        client_order_id=command.key,
        status=OrderStatus.FILLED,
        filled_quantity=command.quantity,
        average_price=Decimal("1.1"),
    )
    return Asked(command, Outcome(command.number, "done", report=report), request, status)


def repeated(first: Asked, status: int, order_id: str) -> Asked:
    """Return the repeat of a command, as it was answered."""
    again = done(Kind.ORDER, status=status, order_id=order_id)
    return replace(again, command=drawn(Kind.REPEAT), target=first)


def test_the_same_seed_draws_the_same_commands() -> None:
    one, same, other = (list(islice(CommandStream(seed, 0, SEATS), 50)) for seed in (1, 1, 2))
    assert one == same != other
    assert {command.kind for command in islice(CommandStream(1, 0, SEATS), 300)} == set(Kind)


@pytest.mark.parametrize(
    ("status", "order_id", "wrong"), [(200, "order", 0), (201, "order", 1), (200, "another", 1)]
)
def test_a_repeat_is_answered_as_one_with_the_first_order(
    status: int, order_id: str, wrong: int
) -> None:
    first = done(Kind.ORDER)
    assert wrong_answers([first, repeated(first, status, order_id)]) == wrong


def test_a_contradiction_is_refused_for_what_it_is() -> None:
    first = done(Kind.ORDER)
    for word, code, wrong in (
        ("refused", "ORDER_DUPLICATE_DIFFERS", 0),
        ("refused", "MONEY_INSUFFICIENT_FUNDS", 1),
        ("done", "", 1),
    ):
        outcome = Outcome(9, word, code)
        again = Asked(drawn(Kind.CONTRADICT), outcome, first.request, target=first)
        assert wrong_answers([first, again]) == wrong


def test_what_contradicts_asks_for_more_under_the_same_key() -> None:
    request = done(Kind.ORDER).request
    assert request is not None
    other = contradicting(request)
    assert other.body["client_order_id"] == request.body["client_order_id"]
    assert Decimal(other.body["quantity"]) == Decimal(request.body["quantity"]) + 1_000


@pytest.mark.parametrize(
    ("kept", "counted"),
    [
        (lambda key, amount: {key: amount}, (0, 0, 0)),
        (lambda _, __: {}, (1, 0, 0)),
        (lambda key, amount: {key: amount + 1}, (0, 1, 0)),
        (lambda key, amount: {key: amount, "stranger": amount}, (0, 0, 1)),
    ],
    ids=["as it was told", "lost", "of another amount", "of nobody"],
)
def test_a_payment_is_kept_as_it_was_told(
    kept: Callable[[str, Decimal], dict[str, Decimal]], counted: tuple[int, int, int]
) -> None:
    asked, findings = done(Kind.WITHDRAW), Findings()
    hold_payments(kept(asked.command.key, asked.command.amount), [asked], findings)
    assert (findings.lost, findings.misreported, findings.foreign) == counted


def test_what_an_order_rests_as_can_be_canceled_and_what_was_refused_cannot() -> None:
    memory, resting = Memory(ACCOUNTS), done(Kind.REST)
    assert memory.request(drawn(Kind.CANCEL), []) is None
    memory.asked.append(resting)
    request = memory.request(drawn(Kind.CANCEL), [])
    assert request is not None
    assert request.path == "/v1/orders/order/cancel"
    assert isinstance(request.sent, CancelOrder)
    assert request.sent.client_order_id == resting.command.key
    assert isinstance(resting.request, Request)
    assert isinstance(resting.request.sent, SubmitOrder)


def test_an_answer_is_read_as_what_the_engine_reports() -> None:
    request = done(Kind.ORDER).request
    assert request is not None
    told = {
        "order_id": "a",
        "client_order_id": "b",
        "status": "filled",
        "filled_quantity": "1000",
        "average_price": None,
        "refused_by": None,
        "refusal_code": None,
        "is_awaited": True,
        "is_replay": False,
    }
    report = report_of(request, told)
    assert isinstance(report, OrderReport)
    assert (report.filled_quantity, report.is_routed) == (Decimal(1000), True)


def ended(program: Program, runs: int) -> None:
    """Look after a program until it has been started so often."""
    deadline = monotonic_seconds() + 60
    while len(list(program.folder.iterdir())) < runs:
        assert monotonic_seconds() < deadline
        program.look_after()
        pause(0.05)


def test_a_program_that_ends_by_itself_has_failed_and_is_started_again(tmp_path: Path) -> None:
    program = Program("told", ["--version"], tmp_path)
    program.start()
    ended(program, 2)
    program.end()
    assert program.failures[0].startswith("told ended by itself with 0: tradewright")


def test_a_program_whose_database_is_away_is_only_started_again(tmp_path: Path) -> None:
    nowhere = {"DATABASE_URL": f"host={tmp_path} dbname=none"}
    program = Program("engine", ["engine", "run", "--json"], tmp_path, nowhere)
    program.start()
    ended(program, 2)
    program.end()
    assert program.failures == []
    assert "DATABASE_UNREACHABLE" in (tmp_path / "engine-1.log").read_text()


def test_what_is_done_again_and_again_ends_when_it_is_left() -> None:
    times: list[float] = []
    with again_and_again(lambda: times.append(monotonic_seconds()), every_seconds=0.01):
        while len(times) < 3:
            pause(0.01)
    count = len(times)
    pause(0.05)
    assert len(times) == count
