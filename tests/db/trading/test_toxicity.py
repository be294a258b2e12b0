"""What is measured of clients beside markouts: it agrees with the record, and decides by it."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

from tests.db.trading.test_hybrid import HALF, NEVER, rich, running
from tests.floor import PAIRS, TWO, Floor, buy, deal, order, sell
from tradewright import routing
from tradewright.liquidity.model import Side
from tradewright.postgres.connect import Session
from tradewright.risk.model import ClientClass
from tradewright.routing import Book, OverrideKind, OverrideOrder, Policy, Ramp, Rule, Settings
from tradewright.routing.book import decide_book
from tradewright.routing.model import OrderFacts, Override, Reason
from tradewright.routing.profiles import ClientProfile
from tradewright.trading.engine import Engine
from tradewright.trading.model import TimeInForce

BY_THE_RECORD = """
SELECT
    (SELECT count(*) FROM closings),
    (SELECT round(avg((held < interval '60 seconds')::integer), 8) FROM closings),
    (SELECT round(avg((realised_pnl > 0)::integer), 8) FROM closings),
    (SELECT count(*) FROM arrivals),
    (SELECT round(avg(is_near::integer), 8) FROM arrivals)
"""
WHAT_IS_RECORDED = """
WITH closings AS (
    SELECT t.realised_pnl, f.quoted_at - first.quoted_at AS held
    FROM trades AS t
    JOIN order_fills AS f ON f.id = t.fill_id
    JOIN orders AS o ON o.id = f.order_id AND o.book = 'hybrid'
    JOIN trades AS opening ON opening.position_id = t.position_id AND opening.position_version = 1
    JOIN order_fills AS first ON first.id = opening.fill_id
    WHERE t.effect = 'close'
), arrivals AS (
    SELECT EXISTS (
        SELECT FROM provider_requests AS q
        JOIN orders AS a ON a.id = q.order_id AND a.symbol = o.symbol
        WHERE NOT q.is_accepted
          AND q.decided_at BETWEEN d.decided_at - interval '1 second'
                               AND d.decided_at + interval '1 second'
    ) AS is_near
    FROM routing_decisions AS d
    JOIN orders AS o ON o.id = d.order_id AND o.origin = 'client'
)
"""
MEASURED = (
    "SELECT closing_count, short_hold_share, win_share, arrival_count, reject_prone_share"
    " FROM client_profiles"
)


def pass_time(floor: Floor, engine: Engine, seconds: int, bid: str = "1.10000") -> None:
    """Let the market's time go on, and the price be at a bid."""
    floor.now += timedelta(seconds=seconds - 1)
    floor.quote(engine, "EURUSD", bid, str(Decimal(bid) + Decimal("0.00010")))


def test_what_is_measured_is_what_the_record_says(engine_database: str, engine: Session) -> None:
    """One provider rejects always; what is kept in book B meets that only beside others' orders."""
    kept = Policy(symbol="EURUSD")
    with running(engine_database, engine, kept, NEVER, TWO) as (floor, dealing):
        client, other = rich(floor), rich(floor, Book.A)
        for seconds, bid in ((20, "1.10100"), (59, "1.10000"), (60, "1.10200"), (90, "1.10300")):
            deal(dealing, buy(client, 10_000))
            pass_time(floor, dealing, seconds, bid)
            deal(dealing, sell(client, 10_000))
            pass_time(floor, dealing, 10)
        deal(dealing, buy(client, 10_000))
        pass_time(floor, dealing, 1)
        deal(dealing, buy(other, 10_000))
        deal(dealing, order(client, Side.BUY, 20_000, limit_price="1.09000"))
        pass_time(floor, dealing, 30, "1.08900")
        routing.set_policy(engine, HALF)
        deal(dealing, sell(client, 5_000))
        pass_time(floor, dealing, 5)
        deal(dealing, buy(client, 20_000))
        pass_time(floor, dealing, 70)
    assert floor.rows(WHAT_IS_RECORDED + BY_THE_RECORD) == floor.rows(MEASURED)
    counted = (5, Decimal("0.6"), Decimal("0.6"), 12, Decimal("0.16666667"))
    assert floor.rows(MEASURED) == [counted]


def test_a_position_opened_before_a_restart_is_known_to_be_held_shortly(
    engine_database: str, engine: Session
) -> None:
    with running(engine_database, engine, None) as (floor, dealing):
        account = rich(floor)
        deal(dealing, buy(account))
    with floor.engine() as restarted:
        pass_time(floor, restarted, 20)
        deal(restarted, sell(account))
    assert floor.rows(MEASURED)[0][:3] == (1, 1, 0)


def test_a_stop_out_counts_for_what_is_held_and_not_for_when_orders_come(
    engine_database: str, engine: Session
) -> None:
    with running(engine_database, engine, None) as (floor, dealing):
        account = floor.account("2500", book=Book.HYBRID)
        deal(dealing, buy(account, 60_000))
        pass_time(floor, dealing, 5, "1.07000")
        pass_time(floor, dealing, 5, "1.07000")
        assert floor.position(account) == 0
    assert floor.rows(MEASURED) == [(1, 1, 0, 1, 0)]


def numbers(texts: Any) -> tuple[Decimal, ...]:
    return tuple(map(Decimal, texts))


def ramp(ends: Any) -> Ramp | None:
    return None if ends is None else Ramp(*numbers(ends))


def number(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def policy_kept(kept: dict[str, Any]) -> Policy:
    """Return the policy that a decision was made by, from its row."""
    return Policy(
        symbol="EURUSD",
        default_percent=kept["default_percent"],
        toxicity=ramp(kept.get("toxicity")),
        size=ramp(kept.get("size")),
        exposure=ramp(kept.get("exposure")),
        volatility=ramp(kept.get("volatility")),
        exposure_limit=number(kept["exposure_limit"]),
        short_hold_bps=Decimal(kept["short_hold_bps"]),
        win_bps=Decimal(kept["win_bps"]),
        reject_prone_bps=Decimal(kept["reject_prone_bps"]),
    )


def profile_kept(kept: dict[str, Any]) -> ClientProfile:
    """Return what was known of the client, from a decision's row."""
    return ClientProfile(
        trade_count=kept["trade_count"],
        markouts=numbers(kept["markouts_bps"]),
        closing_count=kept["closing_count"],
        short_hold_share=Decimal(kept["short_hold_share"]),
        win_share=Decimal(kept["win_share"]),
        arrival_count=kept["arrival_count"],
        reject_prone_share=Decimal(kept["reject_prone_share"]),
    )


def decided_again(row: tuple[Any, ...]) -> tuple[Any, ...]:
    """Decide as a row says that was decided; return what the row would say of it."""
    reason, rule_id, percent, _, _, inputs = row
    policy, profile = policy_kept(inputs["policy"]), profile_kept(inputs["profile"])
    rules = [Rule(id=rule_id, priority=0, a_percent=percent)] if rule_id else []
    overrides = []
    if inputs["override_id"]:
        kind = OverrideKind.MANUAL if reason == "manual" else OverrideKind.HALT
        overrides = [Override(id=inputs["override_id"], kind=kind, a_percent=percent)]
    instrument = next(one for one in PAIRS if one.symbol == "EURUSD")
    toxicity = profile.toxicity(policy)
    assert toxicity == number(inputs["toxicity_bps"])
    facts = OrderFacts(
        instrument=instrument,
        side=Side(inputs["side"]),
        quantity=Decimal(inputs["quantity"]),
        is_divisible=inputs["is_divisible"],
        user_id=inputs["user_id"],
        client_class=ClientClass(inputs["client_class"]),
        exposure=Decimal(inputs["exposure"]),
        toxicity=toxicity,
        volatility=number(inputs["volatility_bps"]),
    )
    decision = decide_book(facts, Settings({"EURUSD": policy}, rules, overrides))
    return decision.reason, decision.a_percent, decision.a_quantity, decision.b_quantity


def know(floor: Floor, account: str) -> None:
    """Let enough be known of an account's client for a toxicity of 2.6: 1.5, 0.5, 0.4 and 0.2."""
    floor.session.execute(
        "INSERT INTO client_profiles (user_id, trade_count, markout_1s_bps, markout_10s_bps,"
        " markout_60s_bps, closing_count, short_hold_share, win_share, arrival_count,"
        " reject_prone_share) SELECT user_id, 60, 1.5, -3, 0.5, 50, 0.5, 0.7, 50, 0.2"
        " FROM accounts WHERE id = %s",
        (account,),
    )


def test_every_decision_follows_again_from_what_its_row_keeps(
    engine_database: str, engine: Session
) -> None:
    policy = Policy(
        symbol="EURUSD",
        default_percent=7,
        toxicity=Ramp(Decimal(1), Decimal(5)),
        size=Ramp(Decimal(100_000), Decimal(900_000)),
        exposure_limit=Decimal(250_000),
    )
    with running(engine_database, engine, policy) as (floor, dealing):
        known, unknown = rich(floor), rich(floor)
        know(floor, known)
        deal(dealing, buy(known, 111_000))
        deal(dealing, buy(unknown, 700_000))
        deal(dealing, sell(unknown, 50_000))
        deal(dealing, buy(known, 99_000, time_in_force=TimeInForce.FOK))
        deal(dealing, buy(unknown, 800_000))
        routing.set_policy(
            engine, Policy(symbol="EURUSD", toxicity=policy.toxicity, win_bps=Decimal(0))
        )
        deal(dealing, buy(known, 111_000))
        routing.add_rule(engine, Rule(id="", priority=1, a_percent=61))
        deal(dealing, buy(known, 50_000))
        routing.order_override(
            engine,
            OverrideOrder(kind=OverrideKind.MANUAL, actor="anna", reason="one", a_percent=13),
        )
        deal(dealing, buy(unknown, 77_000))
        routing.order_override(
            engine, OverrideOrder(kind=OverrideKind.HALT, actor="anna", reason="news")
        )
        deal(dealing, buy(unknown, 77_000))
    rows = floor.rows(
        "SELECT reason, rule_id::text, a_percent, a_quantity, b_quantity, inputs"
        " FROM routing_decisions ORDER BY id"
    )
    assert [decided_again(row) for row in rows] == [(row[0], *row[2:5]) for row in rows]
    assert rows[0][5]["toxicity_bps"] == "2.6000"
    assert (rows[0][0], rows[0][2]) == ("toxicity", 40)
    assert {Reason(row[0]) for row in rows} >= {
        *(Reason.TOXICITY, Reason.SIZE, Reason.REDUCES_EXPOSURE, Reason.EXPOSURE_LIMIT),
        *(Reason.RULE, Reason.MANUAL, Reason.HALT),
    }


def test_a_weight_that_is_taken_away_no_longer_counts(
    engine_database: str, engine: Session
) -> None:
    ramp_of_five = Ramp(Decimal(0), Decimal(5))
    with running(engine_database, engine, Policy(symbol="EURUSD", toxicity=ramp_of_five)) as (
        floor,
        dealing,
    ):
        account = rich(floor)
        know(floor, account)
        deal(dealing, buy(account))
        for weight in ("short_hold_bps", "win_bps", "reject_prone_bps"):
            routing.change_policy(engine, "EURUSD", {weight: Decimal(0)})
            deal(dealing, buy(account))
    shares = [row[0] for row in floor.rows("SELECT a_percent FROM routing_decisions ORDER BY id")]
    assert shares == [52, 42, 34, 30]
