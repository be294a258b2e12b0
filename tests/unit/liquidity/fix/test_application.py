"""What messages mean: requests to FIX, reports to answers, market data to quotes."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from tests.floor import DAY
from tradewright.liquidity.fix import application
from tradewright.liquidity.fix.application import Books
from tradewright.liquidity.fix.codec import Message
from tradewright.liquidity.fix.instants import as_time
from tradewright.liquidity.model import ProviderAnswer, ProviderRequest, RejectReason, Side

REQUEST = ProviderRequest(
    "order-1-LP", "EURUSD", Side.BUY, Decimal("100000.00"), Decimal("1.10010"), DAY
)
LATER = DAY + timedelta(hours=1)
FIELDS = {
    37: "O-1",
    11: "order-1-LP",
    17: "E-1",
    150: "F",
    39: "1",
    55: "EURUSD",
    54: "1",
    38: "100000",
    32: "40000",
    31: "1.1001",
    14: "40000",
    151: "60000",
    60: as_time(DAY + timedelta(seconds=1)),
    52: as_time(DAY),
}


def report(**changes: str) -> Message:
    """Return an execution report; a change is named t<tag>, and an empty one takes it away."""
    changed = FIELDS | {int(name[1:]): value for name, value in changes.items()}
    return Message("8", tuple((tag, value) for tag, value in changed.items() if value))


def read(**changes: str) -> ProviderAnswer | None:
    return application.read_report(report(**changes), "LP", REQUEST, LATER)


def test_an_order_says_what_is_asked_and_no_more() -> None:
    order = application.new_order(REQUEST, "ACC", DAY)
    assert dict(order.fields) == {
        11: "order-1-LP",
        1: "ACC",
        21: "1",
        55: "EURUSD",
        54: "1",
        60: "20260113-08:00:00.000",
        38: "100000",
        40: "2",
        44: "1.1001",
        59: "3",
    }
    assert application.asked_request(order) == REQUEST


def test_fill_or_kill_and_a_market_order_say_so() -> None:
    request = replace(REQUEST, limit_price=None, is_all_or_nothing=True)
    order = application.new_order(request, None, DAY)
    assert (order.get(40), order.get(44), order.get(59), order.get(1)) == ("1", None, "4", None)
    assert application.asked_request(order) == request


def test_an_execution_is_an_answer_that_is_not_the_last_word() -> None:
    answer = read()
    assert answer is not None
    assert (answer.quantity, answer.price, answer.execution_id) == (
        Decimal(40_000),
        Decimal("1.1001"),
        "E-1",
    )
    assert (answer.accepted, answer.is_final, answer.dealt_quantity) == (
        True,
        False,
        Decimal(40_000),
    )
    assert answer.decided_at == DAY + timedelta(seconds=1)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, ("EURUSD", Side.BUY, None)),
        ({"t54": "2", "t15": "EUR"}, ("EURUSD", Side.SELL, "EUR")),
        ({"t54": "5", "t55": "GBPUSD"}, ("GBPUSD", Side.SELL, None)),
        ({"t54": "", "t55": ""}, (None, None, None)),
        ({"t54": "7"}, ("EURUSD", None, None)),
    ],
)
def test_an_execution_says_what_was_dealt_whatever_was_asked_for(
    changes: dict[str, str], said: tuple[str | None, Side | None, str | None]
) -> None:
    answer = read(**changes)
    assert answer is not None
    assert (answer.symbol, answer.side, answer.currency) == said


@pytest.mark.parametrize(
    ("changes", "reason", "total"),
    [
        ({"t39": "2", "t14": "100000"}, None, 100_000),
        ({"t151": "0"}, None, 40_000),
        ({"t150": "4", "t39": "4"}, None, 40_000),
        ({"t150": "4", "t39": "4", "t14": "0"}, RejectReason.UNFILLED, 0),
        ({"t150": "C", "t39": "C", "t14": "0"}, RejectReason.UNFILLED, 0),
        ({"t150": "8", "t39": "8", "t14": "0", "t103": "99"}, RejectReason.DECLINED, 0),
        ({"t150": "8", "t39": "8", "t14": "", "t103": "1"}, RejectReason.UNKNOWN_SYMBOL, 0),
        ({"t150": "8", "t39": "8", "t14": "0", "t103": "13"}, RejectReason.QUANTITY, 0),
        ({"t150": "I", "t39": "8", "t14": "0", "t103": "5"}, RejectReason.UNKNOWN_REQUEST, 0),
        ({"t150": "I", "t39": "2", "t14": "100000"}, None, 100_000),
    ],
)
def test_a_last_word_is_known_by_its_state(
    changes: dict[str, str], reason: RejectReason | None, total: int
) -> None:
    answer = read(**changes)
    assert answer is not None
    assert (answer.is_final, answer.reason, answer.dealt_quantity) == (True, reason, Decimal(total))


@pytest.mark.parametrize(("kind", "state"), [("0", "0"), ("A", "A"), ("I", "0"), ("6", "6")])
def test_news_that_settles_nothing_is_no_answer(kind: str, state: str) -> None:
    assert read(t150=kind, t39=state) is None


@pytest.mark.parametrize("kind", ["G", "H"])
def test_a_correction_or_bust_changes_nothing_by_itself(kind: str) -> None:
    assert read(t150=kind, t39="1") is None


@pytest.mark.parametrize(
    "changes",
    [
        *({"t32": text} for text in ("", "0", "many", "-1", "0.000000001", "1E9999999")),
        *({"t31": text} for text in ("", "NaN", "1e-5", "1_0", "\u00b2", "9" * 13, "9" * 50)),
        {"t31": "999999999999.999999999"},
        *({"t60": text} for text in ("noon", "20260113-08:00:00.1x")),
    ],
)
def test_an_execution_that_cannot_be_read_is_refused(changes: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r".+"):
        read(**changes)


def test_what_an_execution_says_is_read_as_our_books_keep_it() -> None:
    """As a machine writes 0.1 + 0.2: finer digits were booked as money and lost in the row."""
    answer = read(t31="1.2000000000000002", t32="0.30000000000000004", t14="0.30000000000000004")
    assert answer is not None
    assert (answer.price, answer.quantity, answer.total_quantity) == (
        Decimal("1.2"),
        Decimal("0.3"),
        Decimal("0.3"),
    )


@pytest.mark.parametrize("unnamed", ["", "0"])
def test_parts_of_an_order_without_a_name_are_told_apart_and_known_again(unnamed: str) -> None:
    first, again, second = (read(t17=unnamed, t14=total) for total in ("40000", "40000", "80000"))
    assert first is not None
    assert again is not None
    assert second is not None
    assert first.execution_id == again.execution_id != second.execution_id


def test_a_time_may_be_finer_than_ours() -> None:
    answer = read(t60="20260113-08:00:01.123456789")
    assert answer is not None
    assert answer.decided_at == DAY + timedelta(seconds=1, microseconds=123456)


def test_a_finer_quote_is_never_read_as_a_better_one() -> None:
    bid = ((269, "0"), (270, "1.100000005"), (271, "5.999999999"))
    ask = ((269, "1"), (270, "1.100000011"), (271, "7"))
    (quote,) = Books("LP").take(quotes(*bid, *ask), DAY)
    assert (quote.bid, quote.ask) == (Decimal("1.1"), Decimal("1.10000002"))
    assert quote.bid_size == Decimal("5.99999999")


def test_a_provider_whose_clock_is_behind_has_not_decided_before_it_was_asked() -> None:
    answer = read(t60=as_time(DAY - timedelta(hours=1)))
    assert answer is not None
    assert answer.decided_at == DAY


def test_a_provider_whose_clock_is_ahead_has_not_decided_after_it_was_heard() -> None:
    answer = read(t60=as_time(DAY + timedelta(days=3650)))
    assert answer is not None
    assert answer.decided_at == LATER


def test_an_execution_that_is_told_again_later_was_dealt_when_it_was() -> None:
    """What was dealt before the end of a day pays its swap, whenever it is booked."""
    message = report(t60=as_time(DAY))
    request = application.reported_request(message, LATER)
    answer = application.read_report(message, "LP", request, LATER)
    assert answer is not None
    assert (request.requested_at, answer.decided_at) == (DAY, DAY)


def test_a_report_on_a_cancel_is_about_the_request_that_it_cancels() -> None:
    assert application.request_id_of(report(t11="C-order-1-LP", t41="order-1-LP")) == "order-1-LP"


def quotes(*entries: tuple[int, str], kind: str = "W", symbol: str = "EURUSD") -> Message:
    named = ((55, symbol),) if kind == "W" else ()
    return Message(kind, ((52, as_time(DAY)), *named, (268, "9"), *entries))


WHOLE = ((269, "0"), (270, "1.1"), (271, "500"), (269, "1"), (270, "1.2"), (271, "700"))


def test_a_snapshot_is_a_quote_with_its_sizes_and_time() -> None:
    (quote,) = Books("LP").take(quotes(*WHOLE), DAY + timedelta(seconds=1))
    assert (quote.bid, quote.ask) == (Decimal("1.1"), Decimal("1.2"))
    assert (quote.bid_size, quote.ask_size, quote.quoted_at) == (Decimal(500), Decimal(700), DAY)


def test_a_quote_is_never_from_the_future() -> None:
    (quote,) = Books("LP").take(quotes(*WHOLE), DAY - timedelta(hours=1))
    assert quote.quoted_at == DAY - timedelta(hours=1)


def test_an_increment_changes_one_side_and_rises_in_sequence() -> None:
    books = Books("LP")
    (first,) = books.take(quotes(*WHOLE), DAY)
    step = ((279, "1"), (269, "1"), (55, "EURUSD"), (270, "1.3"), (271, "9"))
    (second,) = books.take(quotes(*step, kind="X"), DAY)
    assert (second.bid, second.ask, second.ask_size) == (Decimal("1.1"), Decimal("1.3"), Decimal(9))
    assert second.sequence > first.sequence


@pytest.mark.parametrize(
    "entry",
    [
        ((279, "2"), (269, "0"), (55, "EURUSD"), (270, "1.1"), (271, "500")),
        ((279, "1"), (269, "0"), (55, "EURUSD"), (270, "1.1"), (271, "0")),
        ((279, "1"), (269, "0"), (55, "EURUSD"), (270, "1.1")),
    ],
)
def test_a_side_without_size_cannot_be_dealt_on(entry: tuple[tuple[int, str], ...]) -> None:
    books = Books("LP")
    books.take(quotes(*WHOLE), DAY)
    (quote,) = books.take(quotes(*entry, kind="X"), DAY)
    assert quote.bid_size == 0


def test_a_snapshot_replaces_everything_before_it() -> None:
    books = Books("LP")
    books.take(quotes(*WHOLE), DAY)
    (quote,) = books.take(quotes(*WHOLE[3:]), DAY)
    assert (quote.bid_size, quote.ask_size) == (Decimal(0), Decimal(700))


def test_what_is_withdrawn_has_no_size_and_what_stands_keeps_its_age() -> None:
    books = Books("LP")
    books.take(quotes(*WHOLE), DAY)
    later = DAY + timedelta(seconds=9)
    assert [each.bid_size + each.ask_size for each in books.withdrawn(later)] == [0]
    assert [(each.bid_size, each.quoted_at) for each in books.standing()] == [(Decimal(500), DAY)]
    books.forget()
    assert books.standing() == []
