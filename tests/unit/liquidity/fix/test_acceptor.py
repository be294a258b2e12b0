"""The simulated provider: it refuses what it cannot answer, forgets nothing, and goes on."""

from decimal import Decimal
from pathlib import Path

import pytest

from tests.fix_floor import PRICE, until
from tests.fix_peer import ORDER, calling
from tradewright.core.clock import utc_now
from tradewright.liquidity.fix.acceptor import FixAcceptor
from tradewright.liquidity.fix.acceptor_faults import Fault, Temper
from tradewright.liquidity.fix.acceptor_files import Deals, FileStore
from tradewright.liquidity.fix.actions import Keep, Reset, Send
from tradewright.liquidity.fix.codec import Message
from tradewright.liquidity.fix.instants import as_time

NOT_UNDERSTOOD = [
    ("D", tuple(field for field in ORDER if field[0] != 38), "field 38 is missing"),
    ("D", (*ORDER, (54, "9")), None),
    ("H", ((11, "x"),), "field 55 is missing"),
    ("R", ((131, "x"),), "unsupported message type"),
]


@pytest.mark.parametrize(("kind", "fields", "why"), NOT_UNDERSTOOD)
def test_a_provider_refuses_what_it_cannot_answer_and_goes_on(
    acceptor: FixAcceptor, kind: str, fields: tuple[tuple[int, str], ...], why: str | None
) -> None:
    with calling(acceptor) as peer:
        peer.log_on()
        told = dict(fields) | ({60: as_time(utc_now())} if kind == "D" else {})
        peer.say(kind, *told.items())
        assert why is None or peer.hear("j").get(58) == why
        peer.hear("j")
        peer.say("D", *ORDER, (60, as_time(utc_now())))
        assert peer.hear("8", 2).get(150) == "F"


def test_an_order_without_a_quantity_is_rejected_and_a_part_of_nothing_is_none(
    tmp_path: Path,
) -> None:
    acceptor = FixAcceptor(
        tmp_path, {"EURUSD": PRICE}, Temper(faults=(Fault.PARTIAL, Fault.PIECES))
    )
    acceptor.start()
    with calling(acceptor) as peer:
        peer.log_on()
        for number, quantity in enumerate(("0", "-5", "1", "1", "0.5", "2"), 1):
            order = dict(ORDER) | {11: f"r{number}", 38: quantity, 60: as_time(utc_now())}
            peer.say("D", *order.items())
        ends = {"2", "4", "8"}
        until(lambda: peer.read() or sum(m.text(39) in ends for m in peer.of("8")) == 6)
    acceptor.stop()
    assert all(trade.quantity > 0 for trade in acceptor.trades)
    assert {trade.request_id for trade in acceptor.trades}.isdisjoint({"r1", "r2"})


def test_prices_end_when_they_are_no_longer_wanted(acceptor: FixAcceptor) -> None:
    with calling(acceptor, 1) as peer:
        peer.log_on((141, "Y"))
        for kind in ("0", "1", "2"):
            peer.say("V", (262, f"M{kind}"), (263, kind), (264, "1"), (146, "1"), (55, "EURUSD"))
        peer.hear("W", 2)
        acceptor.set_price("EURUSD", PRICE)
        peer.say("1", (112, "word"))
        peer.hear("0")
        assert not peer.of("X")
        peer.say("V", (146, "1"), (55, "EURUSD"))
        assert peer.hear("j").get(58) == "field 262 is missing"


def test_after_a_reset_a_question_is_answered_with_every_execution_again(
    acceptor: FixAcceptor,
) -> None:
    """What was sent under the numbering before cannot be asked for any more."""
    with calling(acceptor) as peer:
        peer.log_on()
        peer.say("D", *ORDER, (60, as_time(utc_now())))
        peer.hear("8", 2)
    with calling(acceptor) as peer:
        peer.log_on((141, "Y"))
        peer.say("H", *ORDER[:3])
        peer.hear("8", 2)
        assert [message.get(150) for message in peer.of("8")] == ["F", "I"]


def test_a_line_that_was_cut_off_takes_no_other_with_it(tmp_path: Path) -> None:
    path = tmp_path / "session.jsonl"
    FileStore(path).write([Send(1, Message("0", ((34, "1"),)))])
    with path.open("a") as file:
        file.write('{"out": 2, "ki')
    FileStore(path).write([Send(2, Message("0", ((34, "2"),)))])
    assert FileStore(path).numbers() == (1, 3)
    FileStore(path).write([Reset(), Keep(1, 2, Message("A", ()))])
    assert FileStore(path).numbers() == (2, 1)
    deals = tmp_path / "deals.jsonl"
    deals.write_text('{"id": "r", "rep')
    Deals(deals).keep("s", [Message("8", ((17, "X"),))])
    assert list(Deals(deals).reports) == ["s"]
    assert Decimal(0) == sum(trade.quantity for trade in Deals(deals).trades())
