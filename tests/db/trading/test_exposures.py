"""The house's exposure is kept: read at the same cost for ever, and right whoever deals."""

from collections.abc import Iterator
from decimal import Decimal
from threading import Thread

import pytest

from tests.db.trading.test_answers import Later, run
from tests.db.trading.test_news import TOLD_AFTER, Other, serve_trader
from tests.db.trading.test_several_engines import until
from tests.floor import ONE, Floor, buy, deal, sell
from tradewright import routing
from tradewright.core.clock import pause
from tradewright.core.ids import new_id_text
from tradewright.liquidity.model import ProviderRequest, Side
from tradewright.postgres.connect import Session, connect
from tradewright.postgres.queries import load_queries
from tradewright.risk.model import ClientClass
from tradewright.routing import Book, Policy
from tradewright.trading.house_store import read_exposures, roll_up_exposures
from tradewright.trading.unsolicited import Resolution, list_unsolicited, resolve_unsolicited

POLICY = Policy(symbol="EURUSD", exposure_limit=Decimal(500_000), hedge_target=Decimal(100_000))


def rich(floor: Floor, book: Book = Book.B) -> str:
    return floor.account("1000000", leverage=500, client_class=ClientClass.PROFESSIONAL, book=book)


def kept(session: Session) -> int:
    return int(read_exposures(session)["EURUSD"])


def changes(floor: Floor) -> int:
    count: int = floor.one("SELECT count(*) FROM exposure_changes")
    return count


def append(session: Session, change: int) -> None:
    session.execute(
        "INSERT INTO exposure_changes (symbol, change) VALUES ('EURUSD', %s)", (change,)
    )


def test_a_batch_appends_one_row_for_each_symbol_it_dealt_in(
    engine_database: str, engine: Session
) -> None:
    floor = Floor.opened(engine_database, engine, (ONE,))
    account = rich(floor)
    with floor.engine() as dealing:
        floor.quote(dealing, "GBPUSD", "1.30000", "1.30010")
        commands = [buy(account, 3_000), sell(account, 1_000), buy(account, 1_000, symbol="GBPUSD")]
        for future in dealing.submit_together(commands):
            future.result()
        dealing.wait_until_idle()
    rows = floor.rows("SELECT symbol, change FROM exposure_changes ORDER BY symbol")
    assert rows == [("EURUSD", -2_000), ("GBPUSD", -1_000)]
    assert floor.broken_laws() == {}


def test_what_is_passed_on_whole_or_leaves_nothing_appends_no_row(
    engine_database: str, engine: Session
) -> None:
    floor = Floor.opened(engine_database, engine, (ONE,))
    account, passed_on = rich(floor), rich(floor, Book.A)
    with floor.engine() as dealing:
        deal(dealing, buy(passed_on, 1_000))
        for future in dealing.submit_together([buy(account, 1_000), sell(account, 1_000)]):
            future.result()
        dealing.wait_until_idle()
    assert changes(floor) == 0
    assert floor.broken_laws() == {}


def test_a_roll_up_takes_the_rows_away_and_changes_no_figure(
    engine_database: str, engine: Session
) -> None:
    floor = Floor.opened(engine_database, engine, (ONE,))
    account = rich(floor)
    with floor.engine() as dealing:
        for _ in range(3):
            deal(dealing, buy(account, 1_000))
        assert (kept(engine), changes(floor)) == (-3_000, 3)
        assert roll_up_exposures(engine) == 3
        assert (kept(engine), changes(floor)) == (-3_000, 0)
        deal(dealing, sell(account, 2_000))
        assert (kept(engine), changes(floor)) == (-1_000, 1)
        assert roll_up_exposures(engine) == 1
        assert roll_up_exposures(engine) == 0
    assert kept(engine) == -1_000
    assert floor.broken_laws() == {}


def test_what_is_not_committed_waits_for_the_next_roll_up(
    engine_database: str, engine: Session
) -> None:
    Floor.opened(engine_database, engine, (ONE,))
    with connect(engine_database) as slow:
        append(slow, 7)
        append(engine, 5)
        assert roll_up_exposures(engine) == 1
        assert kept(engine) == 5
        slow.commit()
        assert kept(engine) == 12
    assert roll_up_exposures(engine) == 1
    assert kept(engine) == 12


def test_roll_ups_at_once_count_each_row_once(engine_database: str, engine: Session) -> None:
    Floor.opened(engine_database, engine, (ONE,))

    def work() -> None:
        with connect(engine_database, autocommit=True) as session:
            for _ in range(50):
                append(session, 1)
                roll_up_exposures(session)

    threads = [Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    seen = [kept(engine) for _ in range(50)]
    for thread in threads:
        thread.join()
    assert seen == sorted(seen)
    assert kept(engine) == 150


def test_a_roll_up_from_zero_mends_what_is_kept(engine_database: str, engine: Session) -> None:
    floor = Floor.opened(engine_database, engine, (ONE,))
    account = rich(floor)
    with floor.engine() as dealing:
        deal(dealing, buy(account, 1_000))
        roll_up_exposures(engine)
        deal(dealing, buy(account, 1_000))
    append(engine, 5)
    assert set(floor.broken_laws()) == {"exposure_is_kept"}
    roll_up_exposures(engine, from_zero=True)
    assert kept(engine) == -2_000
    assert floor.broken_laws() == {}


@pytest.mark.parametrize(("decided", "left"), [("kept", 5_000), ("busted", 0), ("traded_out", 0)])
def test_what_was_set_aside_counts_until_it_is_given_back(
    engine_database: str, engine: Session, decided: str, left: int
) -> None:
    floor = Floor.opened(engine_database, engine, (ONE,))
    provider_id = floor.one("SELECT id FROM liquidity_providers")
    told = {
        "provider_ids": [provider_id],
        "execution_ids": ["E-1"],
        "request_ids": ["R-1"],
        "symbols": ["EURUSD"],
        "sides": ["buy"],
        "quantities": [Decimal(5_000)],
        "prices": [Decimal("1.1")],
        "reasons": ["order_unknown"],
        "executed": [floor.now],
    }
    for _ in range(2):
        engine.execute(load_queries("tradewright.trading")["write_unsolicited_fills"], told)
    assert kept(engine) == 5_000
    (fill,) = list_unsolicited(engine, count_max=10)
    resolve_unsolicited(engine, fill.id, Resolution(decided), actor="user:anna", reason="agreed")
    assert kept(engine) == left
    assert floor.broken_laws() == {}


def test_no_reading_of_the_exposure_touches_what_was_dealt(engine: Session) -> None:
    for name in ("exposures", "exposures_of", "stressed_exposures"):
        query = load_queries("tradewright.trading")[name]
        explained = f"EXPLAIN (FORMAT JSON) {query}".encode()
        row = engine.execute(explained, {"symbols": ["EURUSD"]}).fetchone()
        assert row is not None
        read = set(_relations(row[0]))
        assert read == {"instruments", "exposure_totals", "exposure_changes"}, name


def _relations(node: object) -> Iterator[str]:
    """Give every table that a plan reads."""
    if isinstance(node, dict):
        if "Relation Name" in node:
            yield str(node["Relation Name"])
        yield from _relations(list(node.values()))
    elif isinstance(node, list):
        for one in node:
            yield from _relations(one)


def test_engines_of_two_processes_hedge_what_they_have_dealt_together(
    engine_database: str, engine: Session
) -> None:
    floor = Floor.opened(engine_database, engine, (ONE,))
    routing.set_policy(engine, POLICY)
    account, theirs = rich(floor), rich(floor)
    with Other(serve_trader, engine_database) as other, floor.engine() as here:
        other.begin(buy(theirs, 300_000))
        other.finish()
        pause(TOLD_AFTER)
        deal(here, buy(account, 300_000))
        rows = floor.rows("SELECT side, quantity, status, exposure FROM hedges")
        assert rows == [("buy", 500_000, "filled", -600_000)]
        pause(TOLD_AFTER)
        other.begin(buy(theirs, 1_000, client_order_id=new_id_text()))
        other.finish()
        assert floor.one("SELECT count(*) FROM hedges") == 1
    assert floor.broken_laws() == {}


def test_a_hybrid_order_is_divided_by_what_another_process_has_just_dealt(
    engine_database: str, engine: Session
) -> None:
    floor = Floor.opened(engine_database, engine, (ONE,))
    routing.set_policy(engine, Policy(symbol="EURUSD", default_percent=50))
    hybrid, theirs = rich(floor, Book.HYBRID), rich(floor)
    with Other(serve_trader, engine_database) as other, floor.engine() as here:
        deal(here, buy(hybrid, 2_000))
        other.begin(buy(theirs, 300_000))
        other.finish()
        deal(here, buy(hybrid, 2_000))
    seen = floor.rows("SELECT inputs ->> 'exposure' FROM routing_decisions ORDER BY id")
    assert seen == [("0",), ("-301000",)]
    assert floor.broken_laws() == {}


def deal_unasked(floor: Floor, quantity: int) -> None:
    """Let a provider tell an engine of something that it dealt, and that nobody asked for."""
    late = Later(ONE)
    with run(floor, {"LP-ONE": late}) as alone:
        floor.quote(alone, "EURUSD", "1.10000", "1.10010")
        asked = ProviderRequest("PHONE", "EURUSD", Side.SELL, Decimal(quantity), None, floor.now)
        late.tell(asked, quantity, price=Decimal("1.10000"))
        until(lambda: kept(floor.session) == -quantity)
        pause(TOLD_AFTER)
        floor.quote(alone, "EURUSD", "1.10000", "1.10020")


def test_an_engine_that_is_alone_hedges_what_was_set_aside(
    engine_database: str, engine: Session
) -> None:
    floor = Floor.opened(engine_database, engine, (ONE,))
    routing.set_policy(engine, POLICY)
    deal_unasked(floor, 600_000)
    assert floor.rows("SELECT side, quantity FROM hedges") == [("buy", 500_000)]


def test_an_engine_that_is_alone_learns_what_people_have_decided(
    engine_database: str, engine: Session
) -> None:
    floor = Floor.opened(engine_database, engine, (ONE,))
    deal_unasked(floor, 600_000)
    with floor.engine() as alone:
        deal(alone, sell(rich(floor), 600_000))
        routing.set_policy(engine, POLICY)
        floor.quote(alone, "EURUSD", "1.10000", "1.10020")
        assert floor.rows("SELECT FROM hedges") == []
        (fill,) = list_unsolicited(engine, count_max=10)
        resolve_unsolicited(engine, fill.id, Resolution.BUSTED, actor="user:anna", reason="error")
        pause(TOLD_AFTER)
        floor.quote(alone, "EURUSD", "1.10000", "1.10010")
    assert floor.rows("SELECT side, quantity FROM hedges") == [("sell", 500_000)]
    assert floor.broken_laws() == {}
