"""Best execution: each measure against its formula, worked out by hand or told a second time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

import pytest

from tests.compliance import make
from tests.db.compliance.test_order_records import rich
from tests.floor import DAY, Floor, buy, deal, sell, steady
from tradewright.compliance import Scope
from tradewright.core.ids import new_id_text
from tradewright.liquidity.model import Side
from tradewright.postgres.connect import Session
from tradewright.routing.model import Book
from tradewright.trading.model import ReplaceOrder

BID, ASK = Decimal("1.10000"), Decimal("1.10010")
MID = Decimal("1.10005")


@dataclass(frozen=True, slots=True)
class Attempt:
    """A request to LP-ONE as a provider might answer it: what was dealt of it, at which price."""

    quantity: int
    dealt: int
    price: Decimal
    hold_ms: int = 10
    queue_ms: int = 0
    reason: str | None = None


@pytest.fixture
def resting(floor: Floor) -> dict[Side, str]:
    """Give an order to buy and one to sell that have seen 1.10000 to 1.10010 and rest."""
    account_id = rich(floor)
    with floor.engine(eurusd=(str(BID), str(ASK))) as engine:
        return {
            Side.BUY: deal(engine, buy(account_id, limit_price="1.09000")).order_id,
            Side.SELL: deal(engine, sell(account_id, limit_price="1.11000")).order_id,
        }


def answer(session: Session, order_id: str, attempts: Sequence[Attempt]) -> None:
    """Write requests and answers as they might be, one after the other, each with its ranking."""
    (provider,) = session.execute(
        "SELECT id FROM liquidity_providers WHERE code = 'LP-ONE'"
    ).fetchone() or ("",)
    at = DAY + timedelta(seconds=10)
    with session.pipeline():
        for number, one in enumerate(attempts, start=1):
            at += timedelta(seconds=10)
            asked_at = at + timedelta(milliseconds=one.queue_ms)
            decided_at = asked_at + timedelta(milliseconds=one.hold_ms)
            session.execute(
                "INSERT INTO routing_rankings (id, order_id, candidates, ranked_at)"
                " VALUES (uuidv7(), %s, %s, %s)",
                (order_id, f'[{{"price": "{ASK}"}}]', at),
            )
            session.execute(
                "INSERT INTO provider_requests (id, request_id, order_id, provider_id, quantity,"
                " is_accepted, filled_quantity, reason, hold_ms, requested_at, decided_at)"
                " VALUES (uuidv7(), %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
                (
                    *(f"{order_id}-1-LP-ONE-{number}", order_id, provider, one.quantity),
                    *(one.reason is None, one.dealt, one.reason, one.hold_ms),
                    *(asked_at, decided_at),
                ),
            )
            if one.dealt:
                session.execute(
                    "INSERT INTO order_fills (id, order_id, quantity, price, provider_id,"
                    " provider_execution_id, quoted_at) VALUES (uuidv7(), %s, %s, %s, %s, %s, %s)",
                    (order_id, one.dealt, one.price, provider, new_id_text(), decided_at),
                )


def whole(floor: Floor, **scope: Any) -> dict[str, Any]:
    """Return the row of LP-ONE in book A over all days and sizes."""
    rows = make(floor.session, "best-execution", Scope(**scope)).rows
    (row,) = [r for r in rows if (r["book"], r["provider"], r["day"]) == ("A", "LP-ONE", None)]
    return row


def test_spread_slippage_and_rates_are_the_worked_example(
    floor: Floor, resting: dict[Side, str]
) -> None:
    answer(
        floor.session,
        resting[Side.BUY],
        [
            Attempt(200_000, 200_000, Decimal("1.10010")),  # as quoted
            Attempt(100_000, 100_000, Decimal("1.10008")),  # 0.2 pips better
            Attempt(100_000, 50_000, Decimal("1.10013")),  # a half, 0.3 pips worse
            Attempt(100_000, 0, ASK, reason="last_look"),
            Attempt(100_000, 0, ASK, reason="last_look", hold_ms=2_001),
            Attempt(100_000, 0, ASK, reason="declined"),
        ],
    )
    row = whole(floor)
    assert (row["requests"], row["quantity_asked"], row["quantity_dealt"]) == (6, 700_000, 350_000)
    assert (row["fill_rate"], row["partial_rate"]) == (Decimal("0.333333"), Decimal("0.166667"))
    assert (row["reject_rate"], row["timeout_rate"]) == (Decimal("0.5"), Decimal("0.166667"))
    assert row["quantity_fill_rate"] == Decimal("0.5")
    assert row["rejections"] == {"declined": 1, "last_look": 2}
    # 2 * (1.10010 - 1.10005) / 1.10005 = 0.909050 bps; of the others 0.545430 and 1.454479.
    assert row["effective_spread_bps_p50"] == Decimal("0.909050")
    weighted = (Decimal("0.909050") * 4 + Decimal("0.545430") * 2 + Decimal("1.454479")) / 7
    assert row["effective_spread_bps"] == pytest.approx(weighted, abs=Decimal("0.000002"))
    assert row["quoted_spread_bps"] == Decimal("0.909050")
    ratio = weighted / Decimal("0.909050")
    assert row["effective_over_quoted"] == pytest.approx(ratio, abs=Decimal("0.000003"))
    assert (row["improved"], row["worsened"], row["unchanged"]) == (1, 1, 1)
    assert row["improved_amount"] == Decimal("2.00000")  # 100,000 * 0.00002 USD
    assert row["worsened_amount"] == Decimal("1.50000")  # 50,000 * 0.00003 USD
    assert (row["currency"], row["symmetry"]) == ("USD", 0)
    assert row["measured"] == 3


def test_what_is_better_for_a_seller_is_higher(floor: Floor, resting: dict[Side, str]) -> None:
    answer(floor.session, resting[Side.SELL], [Attempt(100_000, 100_000, Decimal("1.10002"))])
    row = whole(floor)
    assert (row["improved"], row["improved_amount"]) == (1, 2)
    assert row["effective_spread_bps"] == Decimal("0.545430")  # 2 * (1.10005 - 1.10002) / 1.10005


def test_latency_is_split_into_queue_hold_and_total(floor: Floor, resting: dict[Side, str]) -> None:
    holds = [10, 20, 30, 40, 100]
    attempts = [Attempt(1_000, 1_000, ASK, hold_ms=hold, queue_ms=hold // 10) for hold in holds]
    answer(floor.session, resting[Side.BUY], attempts)
    row = whole(floor)
    assert [row[f"hold_ms_{name}"] for name in ("p50", "p90", "p99", "max")] == [
        30,
        76,
        Decimal("97.6"),
        100,
    ]
    assert [row[f"queue_ms_{name}"] for name in ("p50", "max")] == [3, 10]
    assert [row[f"total_ms_{name}"] for name in ("p50", "max")] == [33, 110]


def percentile(values: Sequence[Decimal], share: Decimal) -> Decimal:
    """Return the percentile by interpolation between the two values beside it."""
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


def test_figures_over_many_are_of_the_single_dealings_and_never_of_means(
    floor: Floor, resting: dict[Side, str]
) -> None:
    chance = Random(7)  # noqa: S311 (an example, not a secret)
    attempts = []
    for _ in range(150):
        quantity = chance.choice([1_000, 90_000, 400_000, 6_000_000])
        dealt = chance.choice([0, quantity, quantity // 2])
        price = ASK + Decimal(chance.randint(-5, 5)) / 100_000
        reason = None if dealt else "declined"
        attempts.append(Attempt(quantity, dealt, price, chance.randint(1, 200), reason=reason))
    answer(floor.session, resting[Side.BUY], attempts)
    row, dealt_ones = whole(floor), [one for one in attempts if one.dealt]
    spreads = [2 * (one.price - MID) / MID * 10_000 for one in dealt_ones]
    slips = [(one.price - ASK) / MID * 10_000 for one in dealt_ones]
    near = Decimal("0.000002")
    volume = sum(one.dealt for one in dealt_ones)
    mean = sum(s * one.dealt for s, one in zip(spreads, dealt_ones, strict=True)) / volume
    assert row["effective_spread_bps"] == pytest.approx(mean, abs=near)
    p90 = percentile(spreads, Decimal("0.9"))
    assert row["effective_spread_bps_p90"] == pytest.approx(p90, abs=near)
    for name, share in (("p5", "0.05"), ("p50", "0.5"), ("p95", "0.95")):
        told = percentile(slips, Decimal(share))
        assert row[f"slippage_bps_{name}"] == pytest.approx(told, abs=near)
    better, worse = (sum(s * way > 0 for s in slips) for way in (-1, 1))
    assert (row["improved"], row["worsened"]) == (better, worse)
    assert row["symmetry"] == pytest.approx(Decimal(better - worse) / (better + worse), abs=near)
    behind = sum(s * one.dealt for s, one in zip(slips, dealt_ones, strict=True)) / volume
    assert row["behind_best_bps"] == pytest.approx(behind, abs=near)


def test_sizes_are_bands_of_lots_and_days_are_utc(floor: Floor, resting: dict[Side, str]) -> None:
    quantities = [100_000, 100_001, 1_000_000, 5_000_000, 5_000_001]
    answer(floor.session, resting[Side.BUY], [Attempt(q, q, ASK) for q in quantities])
    rows = make(floor.session, "best-execution").rows
    bands = {r["lots"]: r["requests"] for r in rows if r["day"] is not None and r["book"] == "A"}
    assert bands == {"to 1": 1, "to 10": 2, "to 50": 1, "above 50": 1}
    assert {r["day"] for r in rows if r["day"] is not None} == {DAY.date()}


def test_both_books_are_measured_by_the_same_quotes(engine_database: str, engine: Session) -> None:
    floor = Floor.opened(engine_database, engine, (steady("LP-ONE", 1), steady("LP-TWO", 2)))
    passed_on, ours = rich(floor, Book.A), rich(floor)
    with floor.engine(eurusd=(str(BID), str(ASK))) as running:
        deal(running, buy(passed_on))
        deal(running, buy(ours))
    rows = make(floor.session, "best-execution").rows
    both = {r["book"]: r for r in rows if r["provider"] is None}
    for name in ("requests", "fill_rate", "measured", "effective_spread_bps", "behind_best_bps"):
        assert both["A"][name] == both["B"][name], name
    assert both["A"]["effective_spread_bps"] == Decimal("0.909050")
    assert (both["A"]["hold_ms_max"], both["B"]["hold_ms_max"]) == (0, None)


@pytest.mark.parametrize("book", [Book.A, Book.B])
def test_what_was_replaced_is_measured_by_the_quotes_of_its_replacement(
    engine_database: str, engine: Session, book: Book
) -> None:
    floor = Floor.opened(engine_database, engine, (steady("LP-ONE", 1), steady("LP-TWO", 2)))
    account_id = rich(floor, book)
    with floor.engine(eurusd=("1.13000", "1.13010")) as running:
        deal(running, buy(account_id, limit_price="1.09000", client_order_id="a"))
        floor.quote(running, "EURUSD", str(BID), str(ASK))
        deal(
            running,
            ReplaceOrder(
                account_id=account_id,
                client_order_id="a",
                new_client_order_id="b",
                limit_price=ASK,
            ),
        )
    row = make(floor.session, "best-execution").rows[0]
    assert (row["book"], row["measured"]) == (book, 1)
    assert row["effective_spread_bps"] == Decimal("0.909050")
    floor.session.execute("SET session_replication_role = replica")
    floor.session.execute(
        "UPDATE order_events SET details = details - 'quotes' WHERE event_type = 'replaced'"
    )
    made = make(floor.session, "best-execution")
    assert (made.facts["executions"], made.facts["measured"]) == (1, 0)
    assert made.facts["excluded"]["executions whose quotes at arrival are not on record"] == 1


def test_a_worse_level_is_measured_against_the_best_that_there_was(floor: Floor) -> None:
    account_id = rich(floor)
    with floor.engine(eurusd=(str(BID), str(ASK))) as engine:
        deal(engine, buy(account_id, 3_000_000))
    (price,) = floor.rows("SELECT max(price) FROM order_fills")[0]
    rows = make(floor.session, "best-execution").rows
    behind = {r["provider"]: r["behind_best_bps"] for r in rows if r["day"] is not None}
    told = (price - ASK) / MID * 10_000
    assert behind["LP-ONE"] == 0
    assert behind["LP-TWO"] == pytest.approx(told, abs=Decimal("0.000002"))
    assert told > 0


def seen(floor: Floor, account_id: str, mids: Sequence[tuple[int, str, str]]) -> None:
    """Let orders that rest see prices, some seconds after the day's first price."""
    with floor.engine(eurusd=None) as engine:
        for after, bid, ask in mids:
            floor.now = DAY + timedelta(seconds=after)
            floor.quote(engine, "EURUSD", bid, ask)
            deal(engine, buy(account_id, limit_price="1.00000"))


def test_markouts_take_the_last_middle_on_record_within_half_of_their_time(
    floor: Floor,
) -> None:
    account_id = rich(floor)
    with floor.engine(eurusd=(str(BID), str(ASK))) as engine:
        deal(engine, buy(account_id))  # at 1.10010, one second after the day began
    seen(floor, account_id, [(7, "1.10100", "1.10110"), (12, "1.10500", "1.10510")])
    row = next(r for r in make(floor.session, "best-execution").rows if r["provider"] == "LP-ONE")
    ten = (Decimal("1.10105") - ASK) / ASK * 10_000
    assert row["markout_10s_bps"] == pytest.approx(ten, abs=Decimal("0.000002"))
    assert [row[f"markout_{name}_count"] for name in ("100ms", "1s", "10s", "60s")] == [0, 0, 1, 0]


def test_what_is_not_measured_is_counted_and_said(floor: Floor, resting: dict[Side, str]) -> None:
    answer(floor.session, resting[Side.BUY], [Attempt(1_000, 1_000, ASK)])
    session, other = floor.session, rich(floor)
    with floor.engine(eurusd=(str(BID), str(ASK))) as engine:
        deal(engine, buy(other, 2_000, limit_price="1.09950"))
        floor.quote(engine, "EURUSD", "1.09900", "1.09910")
    made = make(session, "best-execution")
    assert (made.facts["dealings"], made.facts["executions"], made.facts["measured"]) == (2, 2, 1)
    assert made.facts["excluded"] == {
        "executions whose quotes at arrival are not on record": 1,
        "executions that saw crossed quotes": 0,
        "executions that were taken back": 0,
        "requests for the house's own hedges": 0,
        "orders that wait for a provider's word now": 0,
    }


def test_a_range_provider_and_symbol_narrow_what_is_measured(
    floor: Floor, resting: dict[Side, str]
) -> None:
    answer(floor.session, resting[Side.BUY], [Attempt(1_000, 1_000, ASK)] * 5)

    def at(number: int) -> datetime:
        return DAY + timedelta(seconds=10 + 10 * number)

    assert whole(floor, begin=at(2), end=at(4))["requests"] == 2
    assert whole(floor, provider="LP-ONE", symbol="EURUSD")["requests"] == 5
    for scope in (Scope(provider="LP-TWO"), Scope(symbol="USDJPY"), Scope(begin=at(6))):
        assert make(floor.session, "best-execution", scope).rows == []


def test_an_execution_belongs_to_the_request_that_was_decided_next(
    floor: Floor, resting: dict[Side, str]
) -> None:
    first, second = Attempt(3_000, 2_000, ASK), Attempt(3_000, 3_000, ASK)
    answer(floor.session, resting[Side.BUY], [first, second])
    row = whole(floor)
    assert (row["requests"], row["quantity_dealt"]) == (2, 5_000)
    assert (row["fill_rate"], row["partial_rate"]) == (Decimal("0.5"), Decimal("0.5"))


def test_a_request_that_names_no_step_of_its_order_is_counted_and_not_measured(
    floor: Floor, resting: dict[Side, str]
) -> None:
    answer(floor.session, resting[Side.BUY], [Attempt(1_000, 1_000, ASK)])
    floor.session.execute("SET session_replication_role = replica")
    floor.session.execute("UPDATE provider_requests SET request_id = 'odd'")
    made = make(floor.session, "best-execution")
    assert (made.facts["dealings"], made.facts["executions"], made.facts["measured"]) == (1, 1, 0)
