"""The board: who may be traded with now, at what price, in what order."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from tradewright.liquidity import ProviderQuote, QuoteBoard, QuoteRefusal, Side, Top

NOW = datetime(2024, 5, 6, 8, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def offer(
    provider: str,
    bid: str,
    ask: str,
    *,
    sequence: int = 1,
    quoted_at: datetime = NOW,
    sizes: tuple[str, str] = ("1000", "2000"),
) -> ProviderQuote:
    bid_size, ask_size = map(Decimal, sizes)
    return ProviderQuote(
        provider, "EURUSD", Decimal(bid), Decimal(ask), bid_size, ask_size, quoted_at, sequence
    )


def board_of(*offers: ProviderQuote, priorities: dict[str, int] | None = None) -> QuoteBoard:
    board = QuoteBoard(priorities=priorities)
    for each in offers:
        assert board.update(each)
    return board


def providers(board: QuoteBoard, side: Side = Side.BUY, now: datetime = NOW) -> list[str]:
    return [level.provider for level in board.levels("EURUSD", side, now)]


def test_a_buyer_sees_the_lowest_ask_first_and_a_seller_the_highest_bid() -> None:
    board = board_of(offer("A", "1.1001", "1.1005"), offer("B", "1.1000", "1.1003"))
    assert providers(board, Side.BUY) == ["B", "A"]
    assert providers(board, Side.SELL) == ["A", "B"]


def test_a_level_has_the_price_and_the_size_of_its_side() -> None:
    board = board_of(offer("A", "1.1001", "1.1005"))
    (buy,) = board.levels("EURUSD", Side.BUY, NOW)
    (sell,) = board.levels("EURUSD", Side.SELL, NOW)
    assert (buy.price, buy.size) == (Decimal("1.1005"), Decimal(2000))
    assert (sell.price, sell.size) == (Decimal("1.1001"), Decimal(1000))


@pytest.mark.parametrize("side", Side)
def test_equal_prices_go_by_priority_then_by_code(side: Side) -> None:
    offers = [offer(name, "1.1001", "1.1005") for name in ("D", "B", "A", "C")]
    board = board_of(*offers, priorities={"C": 1, "B": 2, "D": 2})
    assert providers(board, side) == ["C", "B", "D", "A"]


def test_a_quote_is_tradable_up_to_its_greatest_age_and_not_longer() -> None:
    board = board_of(offer("A", "1.1001", "1.1005"))
    assert providers(board, now=NOW + 5 * SECOND) == ["A"]
    assert providers(board, now=NOW + 5 * SECOND + timedelta(microseconds=1)) == []


def test_a_quote_from_further_ahead_than_the_greatest_age_is_not_tradable() -> None:
    board = board_of(offer("A", "1.1001", "1.1005", quoted_at=NOW + 6 * SECOND))
    assert providers(board) == []
    assert providers(board, now=NOW + SECOND) == ["A"]


def test_ages_may_be_set_by_symbol_with_five_seconds_for_the_others() -> None:
    for named, last_second in (("EURUSD", 60), ("GBPUSD", 5)):
        board = QuoteBoard({named: 60 * SECOND})
        board.update(offer("A", "1.1001", "1.1005"))
        assert providers(board, now=NOW + last_second * SECOND) == ["A"]
        assert providers(board, now=NOW + (last_second + 1) * SECOND) == []


def test_a_disabled_provider_is_passed_over_until_it_is_enabled() -> None:
    board = board_of(offer("A", "1.1001", "1.1005"), offer("B", "1.1000", "1.1003"))
    board.disable("B")
    assert providers(board) == ["A"]
    assert board.top("EURUSD", NOW) == Top(Decimal("1.1001"), Decimal("1.1005"), NOW)
    board.enable("B")
    assert providers(board) == ["B", "A"]


def test_a_quote_whose_sequence_did_not_rise_changes_nothing() -> None:
    board = board_of(offer("A", "1.1001", "1.1005", sequence=7))
    assert not board.update(offer("A", "1.2001", "1.2005", sequence=7))
    assert not board.update(offer("A", "1.3001", "1.3005", sequence=6))
    assert board.levels("EURUSD", Side.BUY, NOW)[0].price == Decimal("1.1005")
    assert board.refused[QuoteRefusal.OUT_OF_SEQUENCE] == 2
    assert board.taken == 1


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (offer("A", "1.1006", "1.1005", sequence=2), QuoteRefusal.CROSSED_OR_LOCKED),
        (offer("A", "1.1005", "1.1005", sequence=2), QuoteRefusal.CROSSED_OR_LOCKED),
        (offer("A", "-37.63", "-37.62", sequence=2), QuoteRefusal.NOT_POSITIVE),
        (offer("A", "0", "0.01", sequence=2), QuoteRefusal.NOT_POSITIVE),
        (offer("A", "0.01", "0", sequence=2), QuoteRefusal.NOT_POSITIVE),
        (offer("A", "1.1", "1.2", sequence=2, sizes=("0", "5")), QuoteRefusal.NO_SIZE),
        (offer("A", "1.1", "1.2", sequence=2, sizes=("5", "-1")), QuoteRefusal.NO_SIZE),
    ],
)
def test_an_untradable_new_quote_is_counted_and_withdraws_the_one_before(
    bad: ProviderQuote, reason: QuoteRefusal
) -> None:
    board = board_of(offer("A", "1.1001", "1.1005"))
    assert not board.update(bad)
    assert board.refused[reason] == 1
    assert board.levels("EURUSD", Side.BUY, NOW) == []
    assert board.update(offer("A", "1.1001", "1.1005", sequence=3))


def test_one_wild_provider_of_three_is_passed_over_and_the_two_others_stay() -> None:
    wild = offer("C", "1.1201", "1.1205")
    board = board_of(offer("A", "1.1001", "1.1005"), offer("B", "1.1000", "1.1003"), wild)
    assert providers(board, Side.BUY) == ["B", "A"]
    assert providers(board, Side.SELL) == ["A", "B"]
    assert board.top("EURUSD", NOW) == Top(Decimal("1.1001"), Decimal("1.1003"), NOW)


def test_two_providers_far_apart_are_both_kept_for_neither_is_the_median() -> None:
    board = board_of(offer("A", "1.1001", "1.1005"), offer("C", "1.1201", "1.1205"))
    assert providers(board) == ["A", "C"]


def test_the_collar_is_met_at_its_bound() -> None:
    calm = [offer(name, "0.999", "1.001") for name in "ABD"]
    assert "C" in providers(board_of(*calm, offer("C", "1.004", "1.006")))
    assert "C" not in providers(board_of(*calm, offer("C", "1.004", "1.0061")))


def test_a_stale_provider_has_no_voice_in_the_median() -> None:
    stale = [offer(name, "1.3", "1.4", quoted_at=NOW - 9 * SECOND) for name in "XYZ"]
    assert providers(board_of(*stale, offer("A", "1.1001", "1.1005"))) == ["A"]


def test_the_top_is_the_best_of_both_sides_and_as_old_as_the_older_of_them() -> None:
    early = NOW - 2 * SECOND
    board = board_of(
        offer("A", "1.1001", "1.1005"), offer("B", "1.1000", "1.1003", quoted_at=early)
    )
    assert board.top("EURUSD", NOW) == Top(Decimal("1.1001"), Decimal("1.1003"), early)


def test_the_top_of_a_book_crossed_between_providers_is_its_middle() -> None:
    board = board_of(offer("A", "1.1006", "1.1009"), offer("B", "1.1000", "1.1003"))
    assert board.top("EURUSD", NOW) == Top(Decimal("1.1004"), Decimal("1.1005"), NOW)


def test_a_symbol_without_a_tradable_quote_has_no_top() -> None:
    board = board_of(offer("A", "1.1001", "1.1005"))
    assert board.top("GBPUSD", NOW) is None
    assert board.top("EURUSD", NOW + 6 * SECOND) is None
