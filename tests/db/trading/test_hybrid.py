"""Hybrid accounts: each order is given to the house, to the providers, or to both, and why."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal
from typing import Any

import psycopg
import pytest

from tests.db.trading.test_answers import Later, aside, run
from tests.floor import ONE, TWO, Floor, buy, deal, refusal, row_counts, sell, steady
from tradewright import routing
from tradewright.core.errors import ErrorCode, TradewrightError
from tradewright.core.ids import new_id_text
from tradewright.liquidity.model import ProviderProfile
from tradewright.postgres.connect import Session
from tradewright.postgres.refusals import translate
from tradewright.risk.model import ClientClass
from tradewright.routing import Book, OverrideKind, OverrideOrder, Policy, Ramp, Rule
from tradewright.trading.engine import Engine
from tradewright.trading.model import TimeInForce

HALF = Policy(symbol="EURUSD", default_percent=50)
NEVER = steady("LP-ONE", 1, reject_probability=Decimal(1))
NEVER_EITHER = steady("LP-TWO", 2, reject_probability=Decimal(1))


def rich(floor: Floor, book: Book = Book.HYBRID) -> str:
    return floor.account("1000000", leverage=500, client_class=ClientClass.PROFESSIONAL, book=book)


def decisions(floor: Floor) -> list[tuple[Any, ...]]:
    return floor.rows(
        "SELECT reason, a_percent, a_quantity, b_quantity FROM routing_decisions ORDER BY id"
    )


def fills(floor: Floor) -> list[tuple[Any, ...]]:
    """Return what the house dealt and what providers did, in the order of booking."""
    return floor.rows(
        "SELECT CASE WHEN provider_execution_id IS NULL THEN 'B' ELSE 'A' END, quantity, price"
        " FROM order_fills ORDER BY id"
    )


def order_row(floor: Floor) -> tuple[Any, ...]:
    return floor.rows("SELECT book, status, filled_quantity, average_price FROM orders")[0]


@contextmanager
def running(
    conninfo: str, session: Session, policy: Policy | None, *profiles: ProviderProfile
) -> Iterator[tuple[Floor, Engine]]:
    """Run an engine on a floor with a policy, and hold every law at the end."""
    floor = Floor.opened(conninfo, session, profiles or (ONE, TWO))
    floor.account("1")  # the engine learns at its start which currencies accounts have
    if policy is not None:
        routing.set_policy(session, policy)
    with floor.engine() as engine:
        yield floor, engine
    assert floor.broken_laws() == {}


def test_an_order_is_divided_and_both_fills_belong_to_it(
    engine_database: str, engine: Session
) -> None:
    with running(engine_database, engine, HALF) as (floor, dealing):
        report = deal(dealing, buy(rich(floor), 101_000))
    assert report.is_routed
    assert report.filled_quantity == 50_000
    assert decisions(floor) == [("default", 50, 51_000, 50_000)]
    assert fills(floor) == [
        ("B", 50_000, Decimal("1.10010")),
        ("A", 51_000, Decimal("1.10010")),
    ]
    assert order_row(floor) == ("hybrid", "filled", 101_000, Decimal("1.10010"))
    assert floor.one("SELECT count(DISTINCT order_id) FROM order_fills") == 1
    assert floor.one("SELECT net FROM house_exposures WHERE symbol = 'EURUSD'") == -50_000


def test_a_decision_keeps_all_that_it_was_made_on(engine_database: str, engine: Session) -> None:
    policy = Policy(
        symbol="EURUSD",
        size=Ramp(Decimal(0), Decimal(1_000_000)),
        exposure_limit=Decimal(800_000),
    )
    with running(engine_database, engine, policy) as (floor, dealing):
        account = rich(floor)
        deal(dealing, sell(account, 300_000))
        deal(dealing, sell(account, 250_000))
    assert decisions(floor) == [
        ("size", 30, 90_000, 210_000),
        ("size", 25, 63_000, 187_000),
    ]
    inputs, candidates, rule_id = floor.rows(
        "SELECT inputs, candidates, rule_id FROM routing_decisions ORDER BY id"
    )[1]
    assert inputs == {
        "side": "sell",
        "quantity": "250000",
        "step": "1000",
        "is_divisible": True,
        "user_id": floor.one("SELECT user_id::text FROM accounts WHERE book = 'hybrid'"),
        "client_class": "professional",
        "exposure": "210000",
        "projected": "460000",
        "toxicity_bps": None,
        "profile": {
            "trade_count": 0,
            "markouts_bps": ["0", "0", "0"],
            "closing_count": 0,
            "short_hold_share": "0",
            "win_share": "0",
            "arrival_count": 0,
            "reject_prone_share": "0",
        },
        "volatility_bps": "0",
        "override_id": None,
        "policy": {
            "revision": 1,
            "default_percent": 0,
            "exposure_limit": "800000.00000000",
            "short_hold_bps": "1.0000",
            "win_bps": "1.0000",
            "reject_prone_bps": "1.0000",
            "size": ["0.00000000", "1000000.00000000"],
        },
    }
    assert [(one["provider"], one["price"], one["price_bps"]) for one in candidates] == [
        ("LP-ONE", "1.10000", "0.4545"),
        ("LP-TWO", "1.09988", "1.5454"),
    ]
    assert all(Decimal(one["score_bps"]) > Decimal(one["price_bps"]) for one in candidates)
    assert rule_id is None


@pytest.mark.parametrize("book", [Book.A, Book.B])
def test_an_order_of_a_plain_account_leaves_no_decision(
    engine_database: str, engine: Session, book: Book
) -> None:
    with running(engine_database, engine, HALF) as (floor, dealing):
        account = rich(floor, book)
        before = row_counts(engine)["routing_decisions"]
        deal(dealing, buy(account))
    assert row_counts(engine)["routing_decisions"] == before
    assert {row[0] for row in fills(floor)} == {str(book)}


def test_without_a_policy_the_house_deals_it_all(engine_database: str, engine: Session) -> None:
    with running(engine_database, engine, None) as (floor, dealing):
        deal(dealing, buy(rich(floor)))
    assert decisions(floor) == [("default", 0, 0, 100_000)]
    assert fills(floor) == [("B", 100_000, Decimal("1.10010"))]


def test_the_price_of_the_client_does_not_depend_on_how_its_order_is_divided(
    engine_database: str, engine: Session
) -> None:
    """The same quotes, three million, once each way: one average price."""
    with running(engine_database, engine, None) as (floor, dealing):
        accounts = {book: rich(floor, book) for book in Book}
        for book in (Book.A, Book.B):
            deal(dealing, buy(accounts[book], 3_000_000))
        for percent in (1, 33, 50, 99):
            with engine.transaction():
                routing.set_policy(engine, Policy(symbol="EURUSD", default_percent=percent))
            deal(dealing, buy(accounts[Book.HYBRID], 3_000_000))
            deal(dealing, sell(accounts[Book.HYBRID], 3_000_000))
    prices = floor.rows("SELECT DISTINCT average_price FROM orders WHERE side = 'buy'")
    assert len(prices) == 1
    assert floor.one("SELECT count(*) FROM orders WHERE status = 'filled'") == 10


def test_what_the_providers_reject_of_a_divided_order_is_canceled_and_the_rest_stands(
    engine_database: str, engine: Session
) -> None:
    with running(engine_database, engine, HALF, NEVER, NEVER_EITHER) as (floor, dealing):
        account = rich(floor)
        deal(dealing, buy(account))
    assert order_row(floor)[1:3] == ("canceled", 50_000)
    assert floor.one("SELECT refusal_code FROM orders") == "ORDER_REJECTED_BY_PROVIDER"
    assert floor.position(account) == 50_000


def test_what_a_provider_dealt_of_a_divided_order_while_we_were_away_is_recalled(
    engine_database: str, engine: Session
) -> None:
    floor, late = Floor.opened(engine_database, engine, (ONE, TWO)), Later(ONE)
    account = rich(floor)
    routing.set_policy(engine, HALF)
    with run(floor, {"LP-ONE": late}) as dealing:
        floor.quote(dealing, "EURUSD", "1.10000", "1.10010")
        deal(dealing, buy(account))
    late.keep(late.asked[0], 50_000)
    with run(floor, {"LP-ONE": late}) as dealing:
        floor.quote(dealing, "EURUSD", "1.10000", "1.10010")
        dealing.wait_until_idle()
    assert order_row(floor)[1:3] == ("filled", 100_000)
    assert aside(floor) == []
    assert floor.broken_laws() == {}


def test_fill_or_kill_is_never_divided(engine_database: str, engine: Session) -> None:
    policy = Policy(symbol="EURUSD", default_percent=1)
    with running(engine_database, engine, policy) as (floor, dealing):
        account = rich(floor)
        deal(dealing, buy(account, time_in_force=TimeInForce.FOK))
        routing.set_policy(engine, Policy(symbol="EURUSD"))
        deal(dealing, buy(account, 5_000_000, time_in_force=TimeInForce.FOK))
    assert [row[2:] for row in decisions(floor)] == [(100_000, 0), (0, 5_000_000)]
    assert [row[0] for row in fills(floor)] == ["A", "B", "B"]


def test_a_resting_limit_is_decided_when_it_is_reached(
    engine_database: str, engine: Session
) -> None:
    with running(engine_database, engine, HALF) as (floor, dealing):
        deal(dealing, buy(rich(floor), limit_price="1.09900"))
        assert decisions(floor) == []
        floor.quote(dealing, "EURUSD", "1.09880", "1.09890")
    assert decisions(floor) == [("default", 50, 50_000, 50_000)]
    assert order_row(floor)[1:] == ("filled", 100_000, Decimal("1.09890"))


def test_orders_of_one_batch_see_what_those_before_them_did_to_the_exposure(
    engine_database: str, engine: Session
) -> None:
    policy = Policy(symbol="EURUSD", exposure_limit=Decimal(250_000))
    with running(engine_database, engine, policy) as (floor, dealing):
        account, plain = rich(floor), rich(floor, Book.B)
        commands = [buy(account), buy(plain), buy(account), buy(account), sell(account, 50_000)]
        for future in dealing.submit_together(commands):
            future.result(timeout=30)
        dealing.wait_until_idle()
    assert decisions(floor) == [
        ("default", 0, 0, 100_000),
        ("exposure_limit", 0, 50_000, 50_000),
        ("exposure_limit", 0, 100_000, 0),
        ("reduces_exposure", 0, 0, 50_000),
    ]
    assert floor.one("SELECT net FROM house_exposures WHERE symbol = 'EURUSD'") == -200_000


def test_the_exposure_is_known_after_a_restart(engine_database: str, engine: Session) -> None:
    policy = Policy(symbol="EURUSD", exposure_limit=Decimal(150_000))
    with running(engine_database, engine, policy) as (floor, dealing):
        account = rich(floor)
        deal(dealing, buy(account))
    with floor.engine() as restarted:
        deal(restarted, buy(account))
    assert decisions(floor)[1] == ("exposure_limit", 0, 50_000, 50_000)
    assert floor.broken_laws() == {}


def test_a_volatile_market_passes_more_on(engine_database: str, engine: Session) -> None:
    policy = Policy(symbol="EURUSD", volatility=Ramp(Decimal(0), Decimal(100)))
    with running(engine_database, engine, policy) as (floor, dealing):
        account = rich(floor)
        floor.quote(dealing, "EURUSD", "1.10440", "1.10450")
        deal(dealing, buy(account))
        for _ in range(61):
            floor.quote(dealing, "EURUSD", "1.10440", "1.10450")
        deal(dealing, buy(account))
    assert [row[:2] for row in decisions(floor)] == [("volatility", 40), ("default", 0)]


def test_rules_are_asked_by_priority_then_age_and_only_while_they_are_in_force(
    engine_database: str, engine: Session
) -> None:
    with running(engine_database, engine, HALF) as (floor, dealing):
        account = rich(floor)
        low = routing.add_rule(engine, Rule(id="", priority=1, a_percent=10))
        first = routing.add_rule(engine, Rule(id="", priority=5, a_percent=20, symbol="EURUSD"))
        routing.add_rule(engine, Rule(id="", priority=5, a_percent=30))
        routing.add_rule(engine, Rule(id="", priority=9, a_percent=40, symbol="USDJPY"))
        routing.add_rule(
            engine, Rule(id="", priority=9, a_percent=60, quantity_min=Decimal(900_000))
        )
        routing.add_rule(
            engine, Rule(id="", priority=9, a_percent=70, client_class=ClientClass.RETAIL)
        )
        for _ in range(3):
            deal(dealing, buy(account))
            rule = floor.one("SELECT rule_id::text FROM routing_decisions ORDER BY id DESC LIMIT 1")
            if rule != low:
                routing.disable_rule(engine, rule)
    assert [row[:2] for row in decisions(floor)] == [("rule", 20), ("rule", 30), ("rule", 10)]
    kept = floor.rows(
        "SELECT d.rule_revision, r.revision, r.is_enabled FROM routing_decisions AS d"
        " JOIN routing_rules AS r ON r.id = d.rule_id WHERE r.id = %s",
        first,
    )
    assert kept == [(1, 2, False)]


def test_a_dealers_override_holds_until_it_is_lifted_and_a_halt_wins_over_it(
    engine_database: str, engine: Session
) -> None:
    manual = OverrideOrder(
        kind=OverrideKind.MANUAL, actor="dealer", reason="a large client", a_percent=25
    )
    halt = OverrideOrder(kind=OverrideKind.HALT, actor="dealer", reason="news", symbol="EURUSD")
    with running(engine_database, engine, HALF) as (floor, dealing):
        account = rich(floor)
        manual_id = routing.order_override(engine, manual)
        halt_id = routing.order_override(engine, halt)
        deal(dealing, buy(account))
        routing.lift_override(engine, halt_id)
        deal(dealing, buy(account))
        routing.lift_override(engine, manual_id)
        deal(dealing, buy(account))
    assert [row[:3] for row in decisions(floor)] == [
        ("halt", 100, 100_000),
        ("manual", 25, 25_000),
        ("default", 50, 50_000),
    ]


def test_an_account_changes_its_book_with_its_next_order(
    engine_database: str, engine: Session
) -> None:
    with running(engine_database, engine, HALF) as (floor, dealing):
        account = rich(floor, Book.B)
        deal(dealing, buy(account))
        routing.set_book(engine, account, Book.HYBRID)
        deal(dealing, buy(account))
        routing.set_book(engine, account, Book.A)
        deal(dealing, buy(account))
    assert floor.rows("SELECT book FROM orders ORDER BY id") == [("B",), ("hybrid",), ("A",)]
    assert [row[0] for row in fills(floor)] == ["B", "B", "A", "A"]


def test_a_stop_out_of_a_hybrid_account_closes_all_of_it(
    engine_database: str, engine: Session
) -> None:
    policy = Policy(symbol="EURUSD", exposure_limit=Decimal(300_000), default_percent=40)
    with running(engine_database, engine, policy) as (floor, dealing):
        account = floor.account("2500", book=Book.HYBRID)
        deal(dealing, buy(account, 60_000))
        floor.quote(dealing, "EURUSD", "1.07000", "1.07010")
    assert floor.position(account) == 0
    assert floor.one("SELECT positions_closed FROM stop_outs") == 1


def test_a_client_whose_fills_gain_is_passed_on_once_enough_is_measured(
    engine_database: str, engine: Session
) -> None:
    """Each buy is followed by a rise of a basis point within the second."""
    policy = Policy(symbol="EURUSD", toxicity=Ramp(Decimal(0), Decimal(2)))
    with running(engine_database, engine, policy) as (floor, dealing):
        sharp = rich(floor)
        for number in range(50):
            deal(dealing, buy(sharp, 1_000))
            ask = Decimal("1.10010") + (number + 1) * Decimal("0.00011")
            floor.quote(dealing, "EURUSD", str(ask - Decimal("0.00010")), str(ask))
        before = floor.one("SELECT count(*) FROM client_profiles WHERE trade_count > 0")
        floor.now += timedelta(seconds=61)
        for _ in range(2):
            floor.quote(dealing, "EURUSD", "1.10550", "1.10560")
        deal(dealing, buy(sharp))
    assert before == 0
    count, first, last = floor.rows(
        "SELECT trade_count, markout_1s_bps, markout_60s_bps FROM client_profiles"
    )[0]
    assert count == 50
    assert Decimal("0.4") < first < Decimal("0.6")
    assert last > first
    assert decisions(floor)[-1][0] == "toxicity"
    assert decisions(floor)[-1][1] > 0


def test_what_was_measured_is_kept_when_the_engine_stops_and_added_to_later(
    engine_database: str, engine: Session
) -> None:
    for _ in range(2):
        with running(engine_database, engine, None) as (floor, dealing):
            account = floor.one(
                "SELECT coalesce((SELECT id::text FROM accounts WHERE book = 'hybrid'), '')"
            ) or rich(floor)
            deal(dealing, buy(account))
            floor.now += timedelta(seconds=61)
            floor.quote(dealing, "EURUSD", "1.10000", "1.10010")
    assert floor.rows("SELECT trade_count, markout_60s_bps FROM client_profiles") == [
        (2, Decimal("-0.4545"))
    ]


def test_fills_of_plain_accounts_are_not_measured(engine_database: str, engine: Session) -> None:
    with running(engine_database, engine, None) as (floor, dealing):
        deal(dealing, buy(rich(floor, Book.B)))
        floor.now += timedelta(seconds=61)
        floor.quote(dealing, "EURUSD", "1.10000", "1.10010")
    assert floor.one("SELECT count(*) FROM client_profiles") == 0


@pytest.mark.parametrize(
    ("work", "code"),
    [
        (
            lambda s: routing.set_policy(s, Policy(symbol="NOSUCH")),
            ErrorCode.INSTRUMENT_UNKNOWN,
        ),
        (
            lambda s: routing.set_policy(s, Policy(symbol="EURUSD", default_percent=101)),
            ErrorCode.ROUTING_TERMS_MALFORMED,
        ),
        (
            lambda s: routing.set_policy(
                s, Policy(symbol="EURUSD", size=Ramp(Decimal(5), Decimal(5)))
            ),
            ErrorCode.ROUTING_TERMS_MALFORMED,
        ),
        (
            lambda s: routing.add_rule(
                s, Rule(id="", priority=1, a_percent=1, user_id=new_id_text())
            ),
            ErrorCode.USER_UNKNOWN,
        ),
        (
            lambda s: [
                routing.order_override(
                    s, OverrideOrder(kind=OverrideKind.HALT, actor="dealer", reason="news")
                )
                for _ in range(2)
            ],
            ErrorCode.ROUTING_OVERRIDE_EXISTS,
        ),
    ],
)
def test_settings_that_mean_nothing_are_refused(
    engine_database: str, engine: Session, work: Callable[[Session], object], code: ErrorCode
) -> None:
    Floor.opened(engine_database, engine)
    with pytest.raises((psycopg.errors.IntegrityError, TradewrightError)) as caught:
        work(engine)
    error: Exception = caught.value
    told = translate(error) if isinstance(error, psycopg.Error) else error
    assert isinstance(told, TradewrightError)
    assert told.code is code


def test_what_is_not_in_force_cannot_be_ended(engine_database: str, engine: Session) -> None:
    rule = refusal(lambda: routing.disable_rule(engine, new_id_text()))
    override = refusal(lambda: routing.lift_override(engine, new_id_text()))
    account = refusal(lambda: routing.set_book(engine, new_id_text(), Book.A))
    assert rule.code is ErrorCode.ROUTING_RULE_UNKNOWN
    assert override.code is ErrorCode.ROUTING_OVERRIDE_UNKNOWN
    assert account.code is ErrorCode.ACCOUNT_UNKNOWN
