"""What a toxicity is made of: kept row by row, and enough to say it again; the report's figures."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction
from statistics import mean, stdev
from typing import Any

import psycopg
import pytest

from tests.compliance import make
from tests.db.trading.test_hybrid import NEVER, rich, running
from tests.floor import TWO, Floor, buy, deal, sell
from tradewright.compliance import Scope
from tradewright.postgres.connect import Session
from tradewright.routing.model import Policy, Ramp
from tradewright.trading.engine import Engine

POLICY = Policy(
    symbol="EURUSD",
    default_percent=30,
    toxicity=Ramp(Decimal("0.1"), Decimal(9)),
    win_bps=Decimal(2),
)
WALK = (0, 3, -1, 4, -2, 6, -5, 2)
"""Ticks by which the bid moves in turn."""

NEAR = Decimal("0.000001")

FILLS = """
SELECT m.*, f.price, f.quantity, f.provider_execution_id, p.code AS provider, o.side
FROM client_measures AS m
JOIN order_fills AS f ON f.id = m.fill_id
JOIN orders AS o ON o.id = f.order_id
LEFT JOIN liquidity_providers AS p ON p.id = f.provider_id
ORDER BY m.user_id, m.number
"""


class Day:
    """A client who buys and sells in a market that is written down quote by quote."""

    def __init__(self, floor: Floor, engine: Engine) -> None:
        self.floor, self.engine = floor, engine
        self.client = rich(floor)
        self.quotes: list[tuple[datetime, Decimal]] = []

    def quote(self, seconds: int, ticks: int) -> None:
        """Let seconds pass, and the bid be at so many ticks above 1.10000."""
        self.floor.now += timedelta(seconds=seconds - 1)
        bid = Decimal("1.10000") + ticks * Decimal("0.00010")
        self.floor.quote(self.engine, "EURUSD", str(bid), str(bid + Decimal("0.00010")))
        self.quotes.append((self.floor.now, bid + Decimal("0.00005")))

    def trade(self, rounds: int) -> None:
        """Buy and sell in turn, at more and less than a minute's distance."""
        for number in range(rounds):
            self.quote(1 + number % 4 * 7, WALK[number % len(WALK)])
            order = sell if number % 2 else buy
            deal(self.engine, order(self.client, 10_000 + number * 1000))
            self.quote(1, WALK[number % len(WALK)] + number % 3)

    def middle(self, at: datetime) -> Decimal:
        """Return the middle that stood at an instant."""
        return self.quotes[bisect_right(self.quotes, at, key=lambda one: one[0]) - 1][1]


@pytest.fixture
def day(engine_database: str, engine: Session) -> Iterator[Day]:
    with running(engine_database, engine, POLICY, NEVER, TWO) as (floor, dealing):
        one = Day(floor, dealing)
        one.trade(64)
        one.quote(70, 0)
        one.quote(70, 1)
        deal(dealing, buy(one.client, 20_000))
        yield one


def rows(floor: Floor, query: str) -> list[dict[str, Any]]:
    with floor.session.cursor(row_factory=psycopg.rows.dict_row) as cursor:
        return cursor.execute(query.encode()).fetchall()


def gain(row: Mapping[str, Any], mid: Decimal) -> Decimal:
    """Return the markout of a fill against a middle, as the formula has it."""
    sign = 1 if row["side"] == "buy" else -1
    exact = sign * (Fraction(mid) - Fraction(row["price"])) / Fraction(row["price"]) * 10_000
    return rounded(min(max(exact, Fraction(-1000)), Fraction(1000)), 4)


def rounded(number: Fraction, digits: int) -> Decimal:
    exact = Decimal(number.numerator) / number.denominator
    return exact.quantize(Decimal(1).scaleb(-digits), rounding=ROUND_HALF_EVEN)


def faded(values: list[Decimal], digits: int) -> Decimal:
    """Return the mean that the profile keeps: plain for 200, then one part in 200 for each."""
    kept = Decimal(0)
    for count, value in enumerate(values, 1):
        step = (Fraction(value) - Fraction(kept)) / min(count, 200)
        kept = rounded(Fraction(kept) + step, digits)
    return kept


def test_every_fill_is_kept_with_the_middles_that_stood_after_it(day: Day) -> None:
    found = rows(day.floor, FILLS)
    dealt = day.floor.one("SELECT count(*) FROM order_fills")
    assert 50 <= len(found) < dealt
    assert {row["provider_execution_id"] is None for row in found} == {True, False}
    for row in found:
        for seconds in (1, 10, 60):
            mid = day.middle(row["measured_at"] + timedelta(seconds=seconds))
            assert row[f"mid_{seconds}s"] == mid
            assert row[f"markout_{seconds}s_bps"] == gain(row, mid)


def test_every_decision_is_explained_by_the_rows_up_to_its_counts(day: Day) -> None:
    """The means, shares and the toxicity itself, from the rows alone."""
    decided = rows(day.floor, "SELECT inputs FROM routing_decisions ORDER BY id")
    kept: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in rows(day.floor, "SELECT * FROM client_measures ORDER BY kind, number"):
        kept[row["kind"]].append(row)
    for row in kept["closing"]:
        held = row["measured_at"] - row["opened_at"]
        assert row["is_short_hold"] == (held < timedelta(seconds=60))
    toxicities = {one["inputs"]["toxicity_bps"] for one in decided}
    assert None in toxicities
    assert len(toxicities) > 1
    for one in decided:
        explain(one["inputs"], kept)


def explain(inputs: dict[str, Any], kept: Mapping[str, list[dict[str, Any]]]) -> None:
    profile = inputs["profile"]
    fills = kept["fill"][: profile["trade_count"]]
    means = [faded([row[f"markout_{n}s_bps"] for row in fills], 4) for n in (1, 10, 60)]
    assert means == [Decimal(text) for text in profile["markouts_bps"]]
    closings = kept["closing"][: profile["closing_count"]]
    short = faded([Decimal(row["is_short_hold"]) for row in closings], 8)
    wins = faded([Decimal(row["is_win"]) for row in closings], 8)
    arrivals = kept["arrival"][: profile["arrival_count"]]
    prone = faded([Decimal(row["rejected_at"] is not None) for row in arrivals], 8)
    assert [short, wins, prone] == [
        Decimal(profile[name]) for name in ("short_hold_share", "win_share", "reject_prone_share")
    ]
    if inputs["toxicity_bps"] is not None:
        toxicity = max(means)
        if len(closings) >= 50:
            toxicity += short + 2 * max(Decimal(0), 2 * wins - 1)
        toxicity += prone if len(arrivals) >= 50 else 0
        assert abs(toxicity - Decimal(inputs["toxicity_bps"])) <= Decimal("0.00005")


def test_the_report_is_what_the_rows_add_up_to(day: Day) -> None:
    groups: dict[tuple[str, str, int], list[tuple[Decimal, Decimal]]] = defaultdict(list)
    for row in rows(day.floor, FILLS):
        book = "B" if row["provider_execution_id"] is None else "A"
        for seconds in (1, 10, 60):
            one = row[f"markout_{seconds}s_bps"], row["quantity"]
            groups[book, row["provider"], seconds].append(one)
    made = make(day.floor.session, "markouts")
    told = {(row["book"], row["provider"], row["horizon_s"]): row for row in made.rows}
    assert told.keys() == groups.keys()
    for key, figures in groups.items():
        row, bps = told[key], [one for one, _ in figures]
        quantity = sum(size for _, size in figures)
        assert (row["fills"], row["quantity"]) == (len(bps), quantity)
        assert row["mean_bps"] == pytest.approx(mean(bps), abs=NEAR)
        weighted = sum(one * size for one, size in figures) / quantity
        assert row["weighted_bps"] == pytest.approx(weighted, abs=NEAR)
        assert row["deviation_bps"] == pytest.approx(stdev(bps), abs=NEAR)
        gaining = Decimal(sum(one > 0 for one in bps)) / len(bps)
        assert row["gaining_share"] == pytest.approx(gaining, abs=NEAR)
    measured = day.floor.one("SELECT count(fill_id) FROM client_measures")
    dealt = day.floor.one("SELECT count(*) FROM order_fills")
    left_out = {"fills of hybrid accounts that were not measured": dealt - measured}
    assert (made.facts["fills"], made.facts["excluded"]) == (measured, left_out)


def test_the_report_is_narrowed_by_account_provider_symbol_and_the_markets_time(day: Day) -> None:
    session, whole = day.floor.session, make(day.floor.session, "markouts").rows
    account = Scope(account_id=day.client, symbol="EURUSD")
    assert make(session, "markouts", account).rows == whole
    other = Scope(account_id=rich(day.floor))
    assert make(session, "markouts", other).rows == []
    dealt = [row for row in whole if row["provider"] == "LP-TWO"]
    assert make(session, "markouts", Scope(provider="LP-TWO")).rows == dealt
    middle = day.floor.one(
        "SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY measured_at) FROM client_measures"
        " WHERE kind = 'fill'"
    )
    parts = [Scope(end=middle), Scope(begin=middle)]
    counts = [sum(row["fills"] for row in make(session, "markouts", one).rows) for one in parts]
    assert sum(counts) == sum(row["fills"] for row in whole)
    assert 0 not in counts


def test_nothing_is_kept_of_accounts_whose_orders_are_not_divided(floor: Floor) -> None:
    account = floor.account("100000")
    with floor.engine() as engine:
        deal(engine, buy(account))
        floor.now += timedelta(seconds=61)
        floor.quote(engine, "EURUSD", "1.10000", "1.10010")
    assert floor.one("SELECT count(*) FROM client_measures") == 0
    made = make(floor.session, "markouts")
    assert (made.rows, made.facts["fills"]) == ([], 0)
