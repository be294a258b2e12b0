"""Laws of the liquidity side that hold for every file, every stream and every board."""

import gzip
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tradewright.core.errors import ErrorCode, InputError
from tradewright.liquidity import (
    DEFAULT_PROFILES,
    Level,
    ProviderAnswer,
    ProviderProfile,
    ProviderQuote,
    ProviderRequest,
    Quote,
    QuoteBoard,
    QuoteFilter,
    Refusal,
    Side,
    SimulatedProvider,
    read_quotes,
    seeded_day,
)
from tradewright.liquidity.quote_file import HEADER

START = datetime(2024, 5, 6, 8, tzinfo=UTC)
AGE_MAX = timedelta(seconds=5)
GOOD_LINE = "2024-05-06T08:00:00Z,EURUSD,1.07650,1.07656"

instants = st.datetimes(
    min_value=datetime(1990, 1, 1),  # noqa: DTZ001 (Hypothesis adds the zone)
    max_value=datetime(2100, 1, 1),  # noqa: DTZ001
    timezones=st.just(UTC),
)
prices = st.decimals(min_value="0.00001", max_value="99999", places=5)
sides = st.sampled_from(Side)
quotes = st.builds(
    Quote,
    symbol=st.from_regex(r"[A-Z]{3}[A-Z0-9]{3}", fullmatch=True),
    bid=prices,
    ask=prices,
    quoted_at=instants,
)


def headed(quote: Quote) -> str:
    time_text = quote.quoted_at.isoformat().replace("+00:00", "Z")
    return f"{time_text},{quote.symbol},{quote.bid},{quote.ask}"


def truefx(quote: Quote) -> str:
    time_text = quote.quoted_at.strftime("%Y%m%d %H:%M:%S.%f")
    return f"{quote.symbol[:3]}/{quote.symbol[3:]},{time_text},{quote.bid},{quote.ask}"


def read_back(content: bytes) -> list[Quote] | InputError:
    """Return the quotes of a file with this content, or the error; anything else fails."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "quotes"
        path.write_bytes(content)
        try:
            return list(read_quotes(path))
        except InputError as error:
            return error


@settings(deadline=None)
@given(st.lists(quotes, min_size=1, max_size=20), st.booleans(), st.booleans())
def test_what_is_written_in_either_layout_is_read_back(
    written: list[Quote],
    is_headed: bool,
    is_packed: bool,
) -> None:
    lines = [HEADER, *map(headed, written)] if is_headed else list(map(truefx, written))
    content = ("\n".join(lines) + "\n").encode()
    read = read_back(gzip.compress(content) if is_packed else content)
    assert read == written
    assert isinstance(read, list)
    assert [str(quote.bid) for quote in read] == [str(quote.bid) for quote in written]


hostile_lines = st.one_of(
    st.text(max_size=60),
    st.builds(
        ",".join,
        st.lists(
            st.one_of(
                st.sampled_from(GOOD_LINE.split(",")),
                st.text(max_size=12),
                st.sampled_from(["NaN", "-1", "0", "1e5", "1_0", " 1.5", "2024-05-06", "٣", ""]),
            ),
            min_size=3,
            max_size=5,
        ),
    ),
    st.binary(min_size=1, max_size=300).map(lambda data: data.decode("latin-1")),
)


@settings(max_examples=300, deadline=None)
@given(hostile_lines, st.integers(min_value=0, max_value=5))
def test_a_hostile_line_is_an_error_with_its_own_number_or_a_sane_quote(
    line: str, good_before: int
) -> None:
    line = line.replace("\n", " ")
    assume(line.strip())
    content = "\n".join([HEADER, *[GOOD_LINE] * good_before, line, GOOD_LINE]) + "\n"
    read = read_back(content.encode("utf-8", "surrogatepass"))
    if isinstance(read, InputError):
        assert read.code is ErrorCode.QUOTE_LINE_MALFORMED
        assert read.facts["line"] == good_before + 2
        return
    quote = read[good_before]
    assert len(read) == good_before + 2
    assert quote.bid > 0
    assert quote.ask > 0
    assert quote.quoted_at.tzinfo is UTC


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=400), st.booleans())
def test_any_bytes_at_all_are_quotes_or_an_input_error(
    content: bytes,
    is_packed: bool,
) -> None:
    read = read_back(gzip.compress(content) if is_packed else content)
    if isinstance(read, InputError):
        assert str(read.code).startswith("QUOTE_")
    else:
        assert read


few_quotes = st.builds(
    Quote,
    symbol=st.sampled_from(["EURUSD", "USDJPY"]),
    bid=st.integers(1, 4).map(Decimal),
    ask=st.integers(1, 4).map(Decimal),
    quoted_at=st.integers(0, 5).map(lambda seconds: START + timedelta(seconds=seconds)),
)


@given(st.lists(few_quotes, max_size=60))
def test_every_quote_is_counted_once_and_only_sane_ones_are_accepted(stream: list[Quote]) -> None:
    judge = QuoteFilter()
    accepted: dict[str, list[Quote]] = {}
    for quote in stream:
        if judge.accept(quote) is None:
            accepted.setdefault(quote.symbol, []).append(quote)
    assert judge.read == len(stream)
    assert judge.accepted == sum(map(len, accepted.values()))
    assert judge.read == judge.accepted + sum(judge.refused.values())
    assert set(judge.refused) == set(Refusal)
    for kept in accepted.values():
        times = [quote.quoted_at for quote in kept]
        assert times == sorted(times)
        assert all(quote.bid < quote.ask for quote in kept)


def provider_quote(
    provider: str, bid_ticks: int, spread_ticks: int, size: int, age_ms: int
) -> ProviderQuote:
    bid, ask = Decimal(bid_ticks).scaleb(-5), Decimal(bid_ticks + spread_ticks).scaleb(-5)
    quoted_at = START - timedelta(milliseconds=age_ms)
    return ProviderQuote(
        provider, "EURUSD", bid, ask, Decimal(size), Decimal(size), quoted_at, sequence=0
    )


offers = st.lists(
    st.builds(
        provider_quote,
        provider=st.sampled_from("ABCDEF"),
        bid_ticks=st.one_of(st.integers(110_000, 110_020), st.integers(90_000, 130_000)),
        spread_ticks=st.integers(-3, 12),
        size=st.integers(-1, 4),
        age_ms=st.integers(-7_000, 7_000),
    ),
    max_size=14,
)
disabled_sets = st.sets(st.sampled_from("ABCDEF"), max_size=2)
PRIORITIES = {"A": 2, "B": 1, "C": 2}


def numbered(stream: list[ProviderQuote]) -> list[ProviderQuote]:
    return [
        ProviderQuote(
            q.provider, q.symbol, q.bid, q.ask, q.bid_size, q.ask_size, q.quoted_at, number
        )
        for number, q in enumerate(stream)
    ]


def board_of(stream: Iterable[ProviderQuote], disabled: set[str]) -> QuoteBoard:
    board = QuoteBoard(AGE_MAX, priorities=PRIORITIES)
    for provider in disabled:
        board.disable(provider)
    for quote in stream:
        board.update(quote)
    return board


@given(offers, disabled_sets, sides)
def test_a_level_is_always_the_newest_quote_of_an_enabled_fresh_sane_provider(
    stream: list[ProviderQuote], disabled: set[str], side: Side
) -> None:
    newest = {quote.provider: quote for quote in numbered(stream)}
    for level in board_of(numbered(stream), disabled).levels("EURUSD", side, START):
        quote = newest[level.provider]
        assert level.provider not in disabled
        assert abs(START - quote.quoted_at) <= AGE_MAX
        assert quote.bid < quote.ask
        assert level.size > 0
        assert level.price == (quote.ask if side is Side.BUY else quote.bid)


@given(offers, sides)
def test_up_to_two_tradable_providers_are_never_passed_over(
    stream: list[ProviderQuote], side: Side
) -> None:
    newest = {quote.provider: quote for quote in numbered(stream)}
    sane = {
        quote.provider
        for quote in newest.values()
        if quote.bid < quote.ask and quote.bid_size > 0 and abs(START - quote.quoted_at) <= AGE_MAX
    }
    assume(len(sane) <= 2)
    levels = board_of(numbered(stream), set()).levels("EURUSD", side, START)
    assert {level.provider for level in levels} == sane


@given(offers, sides)
def test_a_better_price_sorts_first_and_equal_ones_by_priority_then_code(
    stream: list[ProviderQuote], side: Side
) -> None:
    def order(level: Level) -> tuple[Decimal, int, str]:
        return side.sign * level.price, PRIORITIES.get(level.provider, 99), level.provider

    levels = board_of(numbered(stream), set()).levels("EURUSD", side, START)
    assert [order(level) for level in levels] == sorted(order(level) for level in levels)


@given(offers, disabled_sets, st.randoms(use_true_random=False))
def test_the_order_in_which_quotes_arrive_is_of_no_account(
    stream: list[ProviderQuote],
    disabled: set[str],
    random: Random,
) -> None:
    in_order = numbered(stream)
    shuffled = list(in_order)
    random.shuffle(shuffled)
    boards = [board_of(each, disabled) for each in (in_order, shuffled)]
    for side in Side:
        first, second = (board.levels("EURUSD", side, START) for board in boards)
        assert first == second
    assert boards[0].top("EURUSD", START) == boards[1].top("EURUSD", START)


@given(offers, disabled_sets)
def test_the_top_is_never_crossed_and_is_the_best_of_the_levels_when_they_are_not(
    stream: list[ProviderQuote], disabled: set[str]
) -> None:
    board = board_of(numbered(stream), disabled)
    top = board.top("EURUSD", START)
    asks = board.levels("EURUSD", Side.BUY, START)
    bids = board.levels("EURUSD", Side.SELL, START)
    if top is None:
        assert not asks
        assert not bids
        return
    assert top.bid <= top.ask
    if bids[0].price <= asks[0].price:
        assert (top.bid, top.ask) == (bids[0].price, asks[0].price)
    else:
        assert asks[0].price <= top.ask <= bids[0].price
        assert asks[0].price <= top.bid <= bids[0].price


@settings(max_examples=15, deadline=None)
@given(st.integers(min_value=-(2**80), max_value=2**80))
def test_the_same_seed_makes_the_same_day_and_every_quote_is_positive(seed: int) -> None:
    day = list(seeded_day(seed, quote_count=1_000))
    assert day == list(seeded_day(seed, quote_count=1_000))
    assert min(min(quote.bid, quote.ask) for quote in day) > 0


requests = st.builds(
    ProviderRequest,
    request_id=st.sampled_from("abcdef"),
    symbol=st.sampled_from(["EURUSD", "GBPUSD", "USDJPY", "XAUUSD", "NONE"]),
    side=sides,
    quantity=st.integers(-1, 30_000_000).map(Decimal),
    limit_price=st.none() | prices,
    requested_at=st.just(START),
)


@settings(max_examples=50, deadline=None)
@given(st.integers(), st.sampled_from(DEFAULT_PROFILES), st.lists(requests, max_size=12))
def test_an_answer_is_final_within_what_was_asked_and_what_was_quoted(
    seed: int, profile: ProviderProfile, asked: list[ProviderRequest]
) -> None:
    provider = SimulatedProvider(profile, seed)
    given_before: dict[str, ProviderAnswer] = {}
    for quote, request in zip(seeded_day(1, quote_count=1_000), asked, strict=False):
        provider.on_quote(quote)
        answer = provider.answer(request, quote.quoted_at)
        assert given_before.setdefault(request.request_id, answer) == answer
        assert provider.status(request.request_id) == answer
        assert answer.accepted == (answer.reason is None) == (answer.price is not None)
        assert answer.accepted == (answer.quantity > 0)
        assert answer.quantity <= provider.profile.size
