"""What is still open of a busted fill is taken back, in every mode, and nothing else."""

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest

from tests.busts import REVERSED, bust, correct, differences, executions, reverse, settle
from tests.db.trading.test_answers import Later, run
from tests.db.trading.test_news import TOLD_AFTER
from tests.db.trading.test_rollovers import AFTER, BEFORE, TUESDAY, quote_at, set_terms
from tests.floor import TWO, Floor, ask, buy, deal, refusal, sell, steady
from tests.positions import account_of, close, held, ids, pair_up
from tradewright import routing
from tradewright.core.clock import pause
from tradewright.core.errors import ErrorCode, TradewrightError
from tradewright.ledger import HouseCode
from tradewright.postgres.connect import Session, connect
from tradewright.risk.alerts import read_alerts
from tradewright.risk.model import MarginPrice
from tradewright.routing.model import Book, Policy
from tradewright.trading.commissions import CommissionForm, CommissionTerms
from tradewright.trading.commissions import set_terms as charge
from tradewright.trading.corrections import (
    Decision,
    Settlement,
    list_corrections,
    settle_correction,
)
from tradewright.trading.groups import AccountGroup, PositionMode, set_group

MODES = list(PositionMode)
NETTING, HEDGING, FIFO = PositionMode.NETTING, PositionMode.HEDGING, PositionMode.FIFO
RICH = Decimal(1_000_000)
DEEP = steady("LP-ONE", 1, size=Decimal(100_000_000))


@pytest.fixture
def floor(engine_database: str, engine: Session) -> Floor:
    return Floor.opened(engine_database, engine, (DEEP, TWO))


def sound(floor: Floor) -> bool:
    """Return whether every law holds, and the soak's replay agrees with all that was booked."""
    assert floor.broken_laws() == {}
    assert differences(floor) == []
    return True


def passed_on(floor: Floor, mode: PositionMode) -> str:
    return account_of(floor, mode, book=Book.A)


@pytest.mark.parametrize("mode", MODES)
def test_a_fill_that_is_open_whole_is_taken_back_as_if_it_had_not_been(
    floor: Floor, mode: PositionMode
) -> None:
    account = passed_on(floor, mode)
    with floor.engine() as engine:
        deal(engine, buy(account, 30_000))
    (execution,) = executions(floor, account)
    done = reverse(floor, execution)
    assert (done.settlement, done.given_back) == ("reversed", Decimal(0))
    assert done.reversed_quantity == 30_000
    assert (held(floor, account), floor.balance(account)) == ([], RICH)
    assert floor.rows("SELECT status, filled_quantity, average_price FROM orders") == [
        ("filled", 30_000, Decimal("1.10010"))
    ]
    assert floor.rows("SELECT symbol, net FROM house_exposures WHERE net <> 0") == []
    assert sound(floor)


@pytest.mark.parametrize("mode", [HEDGING, FIFO])
def test_what_was_closed_since_stays_with_people(floor: Floor, mode: PositionMode) -> None:
    account = passed_on(floor, mode)
    with floor.engine() as engine:
        deal(engine, buy(account, 30_000))
        ask(engine, close(account, ids(floor, account)[0], 10_000))
    before = floor.balance(account)
    correction_id = bust(floor, executions(floor, account)[0])
    assert [one.open_quantity for one in list_corrections(floor.session, count_max=9)] == [20_000]
    assert settle(floor, correction_id).reversed_quantity == 20_000
    assert (held(floor, account), floor.balance(account)) == ([], before)
    told = [one.what for one in read_alerts(floor.session, count_max=9)]
    assert any("10000 of 30000" in one for one in told)
    assert floor.one("SELECT net FROM house_exposures WHERE symbol = 'EURUSD'") == -10_000
    assert sound(floor)


def test_the_average_of_a_net_position_is_that_of_the_rest(floor: Floor) -> None:
    account = passed_on(floor, NETTING)
    with floor.engine() as engine:
        deal(engine, buy(account, 30_000))
        floor.quote(engine, "EURUSD", "1.20000", "1.20010")
        deal(engine, buy(account, 20_000))
        floor.quote(engine, "EURUSD", "1.30000", "1.30010")
        deal(engine, buy(account, 10_000))
    reverse(floor, executions(floor, account)[1])
    assert held(floor, account) == [(40_000, Decimal("1.15010"))]
    assert floor.balance(account) == RICH
    assert sound(floor)


def test_a_close_takes_of_each_part_of_a_net_position_in_proportion(floor: Floor) -> None:
    account = passed_on(floor, NETTING)
    with floor.engine() as engine:
        deal(engine, buy(account, 30_000))
        floor.quote(engine, "EURUSD", "1.20000", "1.20010")
        deal(engine, buy(account, 30_000))
        deal(engine, sell(account, 20_000))
    assert reverse(floor, executions(floor, account)[0]).reversed_quantity == 20_000
    assert held(floor, account) == [(20_000, Decimal("1.20010"))]
    assert reverse(floor, executions(floor, account)[1]).reversed_quantity == 20_000
    assert held(floor, account) == []
    assert sound(floor)


def test_what_is_left_of_a_net_position_is_in_whole_steps(floor: Floor) -> None:
    account = passed_on(floor, NETTING)
    with floor.engine() as engine:
        deal(engine, buy(account, 10_000))
        deal(engine, buy(account, 20_000))
        deal(engine, sell(account, 10_000))
    assert reverse(floor, executions(floor, account)[0]).reversed_quantity == 6_000
    assert reverse(floor, executions(floor, account)[1]).reversed_quantity == 13_000
    assert [quantity for quantity, _ in held(floor, account)] == [1_000]
    assert sound(floor)


@pytest.mark.parametrize("mode", [NETTING, FIFO])
def test_of_a_flip_what_it_has_opened_is_taken_back(floor: Floor, mode: PositionMode) -> None:
    account = passed_on(floor, mode)
    with floor.engine() as engine:
        deal(engine, buy(account, 10_000))
        deal(engine, sell(account, 30_000))
    before = floor.balance(account)
    assert reverse(floor, executions(floor, account)[1]).reversed_quantity == 20_000
    assert (held(floor, account), floor.balance(account)) == ([], before)
    assert sound(floor)


@pytest.mark.parametrize("mode", MODES)
def test_what_only_closed_is_refused_and_nothing_is_decided(
    floor: Floor, mode: PositionMode
) -> None:
    account = passed_on(floor, mode)
    with floor.engine() as engine:
        deal(engine, buy(account, 10_000))
        ask(engine, close(account, ids(floor, account)[0]))
    for execution in executions(floor, account):
        correction_id = bust(floor, execution)
        error = refusal(lambda c=correction_id: settle(floor, c))  # type: ignore[misc]
        assert error.code is ErrorCode.CORRECTION_NOT_REVERSIBLE
        assert "10000" in (error.why or "")
    assert len(list_corrections(floor.session, count_max=9)) == 2
    assert sound(floor)


def test_what_was_paired_off_is_not_open_any_more(floor: Floor) -> None:
    account = passed_on(floor, HEDGING)
    with floor.engine() as engine:
        deal(engine, buy(account, 30_000))
        deal(engine, sell(account, 10_000))
        ask(engine, pair_up(account, *ids(floor, account)))
    bought, sold = executions(floor, account)
    assert reverse(floor, bought).reversed_quantity == 20_000
    error = refusal(lambda: reverse(floor, sold))
    assert error.code is ErrorCode.CORRECTION_NOT_REVERSIBLE
    assert sound(floor)


def test_an_account_that_was_stopped_out_has_nothing_to_take_back(floor: Floor) -> None:
    account = floor.account("400", book=Book.A)
    with floor.engine() as engine:
        deal(engine, buy(account, 10_000))
        floor.quote(engine, "EURUSD", "1.07000", "1.07010")
    assert floor.one("SELECT count(*) FROM stop_outs") == 1
    error = refusal(lambda: reverse(floor, executions(floor, account)[0]))
    assert error.code is ErrorCode.CORRECTION_NOT_REVERSIBLE
    assert sound(floor)


@pytest.mark.parametrize(
    ("operation", "house"), [("swap", HouseCode.SWAPS), ("swap_free_fee", HouseCode.FEES)]
)
@pytest.mark.parametrize("mode", MODES)
def test_swap_or_fee_and_commission_of_what_is_taken_back_are_given_back(
    floor: Floor, mode: PositionMode, operation: str, house: HouseCode
) -> None:
    set_terms(floor, swap_free_fee=Decimal("7.5"))
    terms = CommissionTerms(form=CommissionForm.PER_LOT, rate=Decimal("3.33"), currency="USD")
    charge(floor.session, terms, group=None, symbol="EURUSD")
    account = passed_on(floor, mode)
    is_free = operation == "swap_free_fee"
    set_group(floor.session, AccountGroup(code=mode, position_mode=mode, is_swap_free=is_free))
    with floor.build() as engine:
        quote_at(floor, engine, BEFORE)
        deal(engine, buy(account, 100_000))
        quote_at(floor, engine, AFTER)
        ask(engine, close(account, ids(floor, account)[0], 30_000))
    before = floor.balance(account)
    done = reverse(floor, executions(floor, account)[0])
    assert done.reversed_quantity == 70_000
    assert done.given_back == Decimal("7.58")
    assert floor.balance(account) == before + Decimal("7.58")  # 2.33 of 3.33 and 5.25 of 7.50
    assert floor.rows(
        "SELECT rollover_on, quantity, amount, operation FROM position_rollovers ORDER BY id"
    ) == [
        (TUESDAY, 100_000, Decimal("-7.50"), operation),
        (TUESDAY, -70_000, Decimal("5.25"), operation),
    ]
    givers = floor.rows(
        "SELECT h.code FROM transfers AS t JOIN house_accounts AS h ON h.id = t.debit_holder_id"
        " WHERE t.operation = %s",
        operation,
    )
    assert givers == [(house,)]
    assert sound(floor)


def test_an_adjusted_price_is_taken_back_in_proportion(floor: Floor) -> None:
    account = passed_on(floor, HEDGING)
    with floor.engine() as engine:
        deal(engine, buy(account, 30_000))
        ask(engine, close(account, ids(floor, account)[0], 10_000))
    before = floor.balance(account)
    execution = executions(floor, account)[0]
    adjusted = Decision(Settlement.ADJUSTED, "user:anna", "their error", "user:ben")
    later = correct(floor, execution, "1.09000")
    settle(floor, correct(floor, execution, "1.10000"), adjusted)
    assert floor.balance(account) == before + 3
    assert reverse(floor, execution).given_back == -2
    assert floor.balance(account) == before + 1
    error = refusal(lambda: settle(floor, later, adjusted))
    assert error.code is ErrorCode.CORRECTION_NOT_ADJUSTABLE
    assert sound(floor)


def test_a_swap_that_is_due_is_booked_first(floor: Floor) -> None:
    set_terms(floor)
    account = passed_on(floor, NETTING)
    with floor.build() as engine:
        quote_at(floor, engine, BEFORE)
        deal(engine, buy(account, 100_000))
    floor.session.execute("INSERT INTO trading_days (ended_on) VALUES ('2026-01-13')")
    correction_id = bust(floor, executions(floor, account)[0])
    error = refusal(lambda: settle(floor, correction_id))
    assert error.code is ErrorCode.CORRECTION_NOT_REVERSIBLE
    assert "swap" in (error.why or "")
    with floor.build() as engine:
        quote_at(floor, engine, AFTER)
    assert settle(floor, correction_id).given_back == Decimal("7.50")
    assert floor.balance(account) == RICH
    assert sound(floor)


def test_a_second_bust_of_an_execution_takes_nothing_more_back(floor: Floor) -> None:
    account = passed_on(floor, NETTING)
    with floor.engine() as engine:
        deal(engine, buy(account, 10_000))
        deal(engine, buy(account, 20_000))
    execution = executions(floor, account)[0]
    first, second = bust(floor, execution), bust(floor, execution)
    settle(floor, first)
    assert refusal(lambda: settle(floor, first)).code is ErrorCode.CORRECTION_SETTLED
    assert refusal(lambda: settle(floor, second)).code is ErrorCode.CORRECTION_NOT_REVERSIBLE
    assert floor.position(account) == 20_000
    assert sound(floor)


@pytest.mark.parametrize("approver", [None, " ", "user:anna"])
def test_a_client_s_position_moves_on_the_word_of_two(floor: Floor, approver: str | None) -> None:
    account = passed_on(floor, NETTING)
    with floor.engine() as engine:
        deal(engine, buy(account, 10_000))
    correction_id = bust(floor, executions(floor, account)[0])
    decision = Decision(Settlement.REVERSED, "user:anna", "their error", approver)
    error = refusal(lambda: settle(floor, correction_id, decision))
    assert error.code is ErrorCode.CORRECTION_NOT_APPROVED
    assert floor.position(account) == 10_000


@pytest.mark.parametrize("quantity", [None, 10_000, 15_000, 9_000])
def test_only_the_bust_of_a_whole_fill_is_booked(floor: Floor, quantity: int | None) -> None:
    account = passed_on(floor, NETTING)
    with floor.engine() as engine:
        deal(engine, buy(account, 10_000))
    correction_id = bust(floor, executions(floor, account)[0], quantity)
    if quantity == 9_000:
        error = refusal(lambda: settle(floor, correction_id))
        assert error.code is ErrorCode.CORRECTION_NOT_REVERSIBLE
    else:
        assert settle(floor, correction_id).reversed_quantity == 10_000
    assert sound(floor)


def test_a_corrected_price_is_not_reversed(floor: Floor) -> None:
    account = passed_on(floor, NETTING)
    with floor.engine() as engine:
        deal(engine, buy(account, 10_000))
    correction_id = correct(floor, executions(floor, account)[0], "1.10000")
    error = refusal(lambda: settle(floor, correction_id))
    assert error.code is ErrorCode.CORRECTION_NOT_REVERSIBLE


def test_margin_at_the_opening_price_is_that_of_the_rest(floor: Floor) -> None:
    group = AccountGroup(code="opening", margin_price=MarginPrice.OPEN)
    set_group(floor.session, group)
    account = floor.account("10000", group="opening", book=Book.A)
    with floor.engine() as engine:
        for bid in ("1.10000", "1.20000", "1.30000"):
            floor.quote(engine, "EURUSD", bid, f"{Decimal(bid) + Decimal('0.00010')}")
            deal(engine, buy(account, 10_000))
    reverse(floor, executions(floor, account)[2])
    rates = floor.rows(
        "SELECT r.rate FROM positions AS p JOIN opening_rates AS r ON r.position_id = p.id"
        " AND r.position_version = p.version WHERE p.is_open"
    )
    assert rates == [(Decimal("1.15010"),)]
    assert sound(floor)


def test_an_order_that_still_lives_is_told_of_it(floor: Floor) -> None:
    account, late = passed_on(floor, NETTING), Later(DEEP)
    with run(floor, {"LP-ONE": late}) as engine:
        floor.quote(engine, "EURUSD", "1.10000", "1.10010")
        deal(engine, buy(account, 30_000, limit_price="1.10010"))
        late.tell(late.asked[0], 10_000)
        engine.wait_until_idle()
        correction_id = bust(floor, executions(floor, account)[0])
        error = refusal(lambda: settle(floor, correction_id))
        assert error.code is ErrorCode.CORRECTION_NOT_REVERSIBLE
        late.tell(late.asked[0], 0, is_final=True)
        engine.wait_until_idle()
    settle(floor, correction_id)
    assert floor.rows(
        "SELECT event_type, to_status, actor, (details ->> 'reversed')::numeric FROM order_events"
        " ORDER BY seq DESC LIMIT 1"
    ) == [("restated", "partially_filled", "user:anna", 10_000)]
    order = floor.rows("SELECT status, filled_quantity, remaining_quantity FROM orders")
    assert order == [("partially_filled", 10_000, 20_000)]
    assert sound(floor)


def test_what_a_provider_decides_on_closing_waits(floor: Floor) -> None:
    account, late = passed_on(floor, NETTING), Later(DEEP)
    with run(floor, {"LP-ONE": late}) as engine:
        floor.quote(engine, "EURUSD", "1.10000", "1.10010")
        deal(engine, buy(account, 20_000))
        late.tell(late.asked[0], 20_000)
        engine.wait_until_idle()
        deal(engine, sell(account, 20_000))
        correction_id = bust(floor, executions(floor, account)[0])
        error = refusal(lambda: settle(floor, correction_id))
        assert error.code is ErrorCode.CORRECTION_NOT_REVERSIBLE
        assert "provider" in (error.why or "")
        late.tell(late.asked[1], 5_000, is_final=True)
        engine.wait_until_idle()
        assert settle(floor, correction_id).reversed_quantity == 15_000
    assert sound(floor)


def test_of_two_who_decide_at_once_one_does(floor: Floor, engine_database: str) -> None:
    account = passed_on(floor, NETTING)
    with floor.engine() as engine:
        deal(engine, buy(account, 10_000))
        deal(engine, buy(account, 20_000))
    execution = executions(floor, account)[0]
    one, other = bust(floor, execution), bust(floor, execution)

    def decide(correction_id: str) -> ErrorCode | None:
        with connect(engine_database, autocommit=True) as session:
            try:
                with session.transaction():
                    settle_correction(session, correction_id, REVERSED)
            except TradewrightError as error:
                return error.code
        return None

    with ThreadPoolExecutor(4) as pool:
        codes = [*pool.map(decide, (one, one, other, other))]
    assert codes.count(None) == 1
    assert ErrorCode.CORRECTION_SETTLED in codes
    assert floor.position(account) == 20_000
    assert sound(floor)


def settle_in_the_end(floor: Floor, correction_id: str) -> Decimal:
    """Reverse a bust as soon as no provider decides on a close; return how much."""
    while True:
        try:
            return settle(floor, correction_id).reversed_quantity or Decimal(0)
        except TradewrightError as error:
            if "provider decides" not in (error.why or ""):
                raise


@pytest.mark.parametrize("mode", MODES)
def test_a_client_who_closes_at_the_same_time_closes_or_is_reversed(
    floor: Floor, mode: PositionMode
) -> None:
    account = passed_on(floor, mode)
    with floor.engine() as engine, ThreadPoolExecutor(1) as pool:
        for _ in range(8):
            deal(engine, buy(account, 30_000))
            correction_id = bust(floor, executions(floor, account)[-1])
            closing = engine.submit(close(account, ids(floor, account)[0], 10_000))
            decided = pool.submit(settle_in_the_end, floor, correction_id)
            gone = closing.exception(timeout=30)
            left = Decimal(0) if gone is None else Decimal(10_000)
            assert decided.result(timeout=30) == 20_000 + left
            engine.wait_until_idle()
            assert held(floor, account) == []
    assert floor.one("SELECT count(*) FROM trade_reversals") == 8
    assert sound(floor)


def test_a_running_engine_watches_what_is_left(floor: Floor) -> None:
    account = passed_on(floor, HEDGING)
    with floor.engine() as engine:
        deal(engine, buy(account, 30_000, stop_loss="1.05000"))
        deal(engine, buy(account, 20_000, stop_loss="1.05000"))
        reverse(floor, executions(floor, account)[0])
        deal(engine, buy(account, 1_000))
        floor.quote(engine, "EURUSD", "1.04000", "1.04010")
    assert [quantity for quantity, _ in held(floor, account)] == [1_000]
    assert sound(floor)


def test_an_engine_that_is_alone_hedges_what_could_not_be_reversed(floor: Floor) -> None:
    account = passed_on(floor, HEDGING)
    with floor.engine() as engine:
        deal(engine, buy(account, 700_000))
        ask(engine, close(account, ids(floor, account)[0], 600_000))
        routing.set_policy(
            floor.session,
            Policy(symbol="EURUSD", exposure_limit=Decimal(500_000), hedge_target=Decimal(100_000)),
        )
        assert reverse(floor, executions(floor, account)[0]).reversed_quantity == 100_000
        pause(TOLD_AFTER)
        floor.quote(engine, "EURUSD", "1.10000", "1.10020")
    assert floor.rows("SELECT side, quantity, exposure FROM hedges") == [("buy", 500_000, -600_000)]
    assert sound(floor)
