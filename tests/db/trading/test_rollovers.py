"""The rollover at 17:00 in New York: who pays, once, on whose money, and what the ledger says."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import psycopg
import pytest

from tests.floor import Floor, ask, buy, deal, refusal, sell
from tests.positions import account_of, close, ids, pair_up
from tradewright.core.clock import utc_now
from tradewright.core.errors import ErrorCode
from tradewright.liquidity.model import Quote
from tradewright.trading import queues, writer
from tradewright.trading.engine import Engine
from tradewright.trading.groups import AccountGroup, PositionMode, set_group
from tradewright.trading.rollover_day import RolledDay, market_before, roll_day
from tradewright.trading.swap_store import add_holiday, set_swap_terms
from tradewright.trading.swaps import RollOver, RolloverReport, SwapForm, SwapTerms

TUESDAY = date(2026, 1, 13)
BEFORE = datetime(2026, 1, 13, 21, 59, 59, tzinfo=UTC)
AFTER = BEFORE + timedelta(seconds=2)
"""A second before and after 17:00 in New York, in winter."""


def set_terms(floor: Floor, **fields: Any) -> None:
    usual: dict[str, Any] = {
        "symbol": "EURUSD",
        "effective_on": date(2026, 1, 1),
        "form": SwapForm.POINTS,
        "long_rate": Decimal("-7.5"),
        "short_rate": Decimal("2.5"),
        "currency": "USD",
    }
    set_swap_terms(floor.session, SwapTerms(**usual | fields))


def quote_at(
    floor: Floor, engine: Engine, at: datetime, bid: str = "1.10000", ask: str = "1.10010"
) -> None:
    floor.now = at
    engine.on_quote(Quote("EURUSD", Decimal(bid), Decimal(ask), at))
    engine.wait_until_idle()


def rollovers(floor: Floor) -> list[tuple[Any, ...]]:
    return floor.rows(
        "SELECT rollover_on, days, quantity, amount FROM position_rollovers"
        " ORDER BY rollover_on, position_id"
    )


def swaps(floor: Floor, account: str) -> list[tuple[Any, ...]]:
    return floor.rows(
        "SELECT effect, amount FROM balance_ledger WHERE holder_id = %s AND operation = 'swap'"
        " ORDER BY version",
        account,
    )


@pytest.fixture
def hedger(floor: Floor) -> str:
    set_terms(floor)
    return account_of(floor, PositionMode.HEDGING)


def test_open_a_second_before_and_closed_a_second_after_pays_one_day(
    floor: Floor, hedger: str
) -> None:
    with floor.engine(eurusd=None) as engine:
        quote_at(floor, engine, BEFORE)
        deal(engine, buy(hedger))
        quote_at(floor, engine, AFTER)
        ask(engine, close(hedger, ids(floor, hedger)[0]))
    assert rollovers(floor) == [(TUESDAY, 1, 100_000, Decimal("-7.50"))]
    assert swaps(floor, hedger) == [("debit", Decimal("7.50"))]
    assert floor.broken_laws() == {}


def test_opened_and_closed_inside_the_day_pays_nothing(floor: Floor, hedger: str) -> None:
    with floor.engine(eurusd=None) as engine:
        quote_at(floor, engine, AFTER)
        deal(engine, buy(hedger))
        quote_at(floor, engine, BEFORE + timedelta(days=1))
        ask(engine, close(hedger, ids(floor, hedger)[0]))
        quote_at(floor, engine, AFTER + timedelta(days=1))
    assert rollovers(floor) == []


def test_long_and_short_have_their_own_rates_and_wednesday_pays_for_the_weekend(
    floor: Floor, hedger: str
) -> None:
    with floor.engine(eurusd=None) as engine:
        quote_at(floor, engine, BEFORE)
        deal(engine, buy(hedger, 200_000))
        deal(engine, sell(hedger, 100_000))
        for day in range(3):
            quote_at(floor, engine, AFTER + timedelta(days=day))
            quote_at(floor, engine, AFTER + timedelta(days=day, hours=1))
    assert [(days, quantity, amount) for _, days, quantity, amount in rollovers(floor)] == [
        (1, 200_000, Decimal("-15.00")),
        (1, -100_000, Decimal("2.50")),
        (3, 200_000, Decimal("-45.00")),
        (3, -100_000, Decimal("7.50")),
        (1, 200_000, Decimal("-15.00")),
        (1, -100_000, Decimal("2.50")),
    ]
    assert floor.balance(hedger) == Decimal("999937.50")
    assert floor.broken_laws() == {}


def test_a_rollover_that_is_asked_for_twice_is_booked_once(floor: Floor, hedger: str) -> None:
    command = RollOver(account_id=hedger, through=TUESDAY)
    with floor.engine(eurusd=None) as engine:
        quote_at(floor, engine, BEFORE)
        deal(engine, buy(hedger))
        engine.take_time(AFTER)
        first, again = engine.submit_together([command, command])
        reports = first.result(timeout=30), again.result(timeout=30)
        quote_at(floor, engine, AFTER)
        last = ask(engine, command)
    with floor.engine(eurusd=None) as engine:  # a new engine asks for what may have been missed
        quote_at(floor, engine, AFTER + timedelta(seconds=1))
    assert reports == (
        RolloverReport(hedger, 1, Decimal("-7.50")),
        RolloverReport(hedger, 0, Decimal(0)),
    )
    assert last == RolloverReport(hedger, 0, Decimal(0))
    assert len(rollovers(floor)) == 1
    assert floor.broken_laws() == {}


def test_an_engine_that_was_away_books_every_day_it_missed(floor: Floor, hedger: str) -> None:
    add_holiday(floor.session, "EUR", date(2026, 1, 19))
    with floor.engine(eurusd=None) as engine:
        quote_at(floor, engine, BEFORE)
        deal(engine, buy(hedger))
    with floor.engine(eurusd=None) as engine:
        quote_at(floor, engine, AFTER + timedelta(days=7))
    booked = [(on.day, days) for on, days, _, _ in rollovers(floor)]
    # Deals of the 16th settle on the 21st, as those of the holiday do: that roll pays for no day.
    assert booked == [(13, 1), (14, 4), (15, 1), (19, 1), (20, 1)]
    assert sum(days for _, days in booked) == 8
    assert floor.broken_laws() == {}


def test_swap_free_accounts_pay_nothing_and_it_stays_so(floor: Floor, hedger: str) -> None:
    islamic = AccountGroup(code="hedging", position_mode=PositionMode.HEDGING, is_swap_free=True)
    set_group(floor.session, islamic)
    with floor.engine(eurusd=None) as engine:
        quote_at(floor, engine, BEFORE)
        deal(engine, buy(hedger))
        quote_at(floor, engine, AFTER)
        set_group(floor.session, AccountGroup(code="hedging", position_mode=PositionMode.HEDGING))
        ask(engine, RollOver(account_id=hedger, through=TUESDAY))
    assert rollovers(floor) == [(TUESDAY, 1, 100_000, 0)]
    assert swaps(floor, hedger) == []
    assert floor.broken_laws() == {}


FEE = {"swap_free_fee": Decimal("1.25"), "grace_nights": 3}
"""Money for a lot and day after three nights."""


def set_free(floor: Floor, *, is_free: bool = True) -> None:
    hedging = AccountGroup(code="hedging", position_mode=PositionMode.HEDGING, is_swap_free=is_free)
    set_group(floor.session, hedging)


def paid_to(floor: Floor, code: str) -> Decimal:
    amount: Decimal = floor.one(
        "SELECT coalesce(sum(t.amount), 0) FROM transfers AS t JOIN house_accounts AS h"
        " ON h.id = t.credit_holder_id WHERE h.code = %s",
        code,
    )
    return amount


def test_a_swap_free_account_pays_its_fee_after_the_free_nights_long_and_short_alike(
    floor: Floor,
) -> None:
    """From Monday on: Monday to Wednesday are free, the weekend of Wednesday with them."""
    set_terms(floor, **FEE)
    account = account_of(floor, PositionMode.HEDGING)
    set_free(floor)
    with floor.engine(eurusd=None) as engine:
        quote_at(floor, engine, BEFORE - timedelta(days=1))
        deal(engine, buy(account, 200_000))
        deal(engine, sell(account, 100_000))
        for day in (-1, 0, 1, 2, 3, 6, 7, 8):
            quote_at(floor, engine, AFTER + timedelta(days=day))
        ask(engine, RollOver(account_id=account, through=TUESDAY + timedelta(days=8)))
    booked = [(on.day, days, amount) for on, days, quantity, amount in rollovers(floor)[::2]]
    assert booked == [
        (12, 1, Decimal(0)),
        (13, 1, Decimal(0)),
        (14, 3, Decimal(0)),
        (15, 1, Decimal("-2.50")),
        (16, 1, Decimal("-2.50")),
        (19, 1, Decimal("-2.50")),
        (20, 1, Decimal("-2.50")),
        (21, 3, Decimal("-7.50")),
    ]
    shorts = [amount for _, _, quantity, amount in rollovers(floor) if quantity < 0]
    assert shorts == [0, 0, 0, *[Decimal("-1.25")] * 4, Decimal("-3.75")]
    assert swaps(floor, account) == []
    assert (paid_to(floor, "fees"), paid_to(floor, "swaps")) == (Decimal("26.25"), Decimal(0))
    assert floor.balance(account) == Decimal("999973.75")
    assert floor.one(
        "SELECT sum(amount) FROM balance_ledger WHERE operation = 'swap_free_fee'"
    ) == (Decimal("26.25"))
    assert floor.broken_laws() == {}


def test_a_fee_is_booked_once_and_by_the_group_of_its_day(floor: Floor) -> None:
    set_terms(floor, swap_free_fee=Decimal(2))
    account = account_of(floor, PositionMode.HEDGING)
    set_free(floor)
    with floor.engine(eurusd=None) as engine:
        quote_at(floor, engine, BEFORE)
        deal(engine, buy(account))
        quote_at(floor, engine, AFTER)
        ask(engine, RollOver(account_id=account, through=TUESDAY))
        set_free(floor, is_free=False)
        quote_at(floor, engine, AFTER + timedelta(days=1))
    rows = floor.rows("SELECT operation, amount FROM position_rollovers ORDER BY rollover_on")
    assert rows == [("swap_free_fee", Decimal("-2.00")), ("swap", Decimal("-22.50"))]
    assert floor.broken_laws() == {}


def test_a_fee_in_another_currency_is_converted_at_the_ask_and_waits_for_a_rate(
    floor: Floor,
) -> None:
    """10 USD for a lot are 9.09 EUR at 1.10."""
    set_terms(floor, symbol="EURGBP", swap_free_fee=Decimal(10))
    set_free(floor)
    account = floor.account("100000", currency="EUR", group="hedging")
    command = RollOver(account_id=account, through=TUESDAY)
    with floor.engine(eurusd=None) as engine:
        floor.now = BEFORE - timedelta(seconds=1)
        floor.quote(engine, "EURGBP", "0.87000", "0.87010")
        deal(engine, buy(account, symbol="EURGBP"))
        floor.now = AFTER
        floor.quote(engine, "EURGBP", "0.87000", "0.87010")
        assert ask(engine, command) == RolloverReport(account, 0, Decimal(0), is_complete=False)
        quote_at(floor, engine, AFTER + timedelta(minutes=2), "1.10000", "1.10010")
        ask(engine, command)
    fees = floor.rows("SELECT effect, amount FROM balance_ledger WHERE operation = 'swap_free_fee'")
    assert fees == [("debit", Decimal("9.09"))]
    assert floor.broken_laws() == {}


def test_the_database_refuses_a_fee_that_would_be_earned(floor: Floor) -> None:
    set_terms(floor, swap_free_fee=Decimal(2))
    account = account_of(floor, PositionMode.HEDGING)
    set_free(floor)
    with floor.engine(eurusd=None) as engine:
        quote_at(floor, engine, BEFORE)
        deal(engine, buy(account))
        quote_at(floor, engine, AFTER)
    with pytest.raises(psycopg.errors.CheckViolation) as caught:
        floor.session.execute(
            "INSERT INTO position_rollovers (id, position_id, rollover_on, days, quantity,"
            " conversion_rate, amount, operation) SELECT uuidv7(), position_id, rollover_on + 1,"
            " days, quantity, conversion_rate, 1, operation FROM position_rollovers"
        )
    assert caught.value.diag.constraint_name == "position_rollovers_fee_is_never_earned"
    refused = refusal(lambda: set_terms(floor, effective_on=TUESDAY, swap_free_fee=Decimal(-1)))
    assert refused.code is ErrorCode.SWAP_TERMS_MALFORMED


def test_a_charge_is_converted_at_the_ask_and_what_is_earned_at_the_bid(floor: Floor) -> None:
    set_terms(floor)
    account = floor.account("100000", currency="EUR")
    other = floor.account("100000", currency="EUR")
    with floor.engine(eurusd=None) as engine:
        quote_at(floor, engine, BEFORE)
        deal(engine, buy(account, 1_000_000))
        deal(engine, sell(other, 1_000_000))
        quote_at(floor, engine, AFTER, "1.10000", "1.11000")
    # 75 USD at 1/1.10 EUR, and 25 USD at 1/1.11 EUR.
    assert swaps(floor, account) == [("debit", Decimal("68.18"))]
    assert swaps(floor, other) == [("credit", Decimal("22.52"))]
    assert floor.one("SELECT count(*) FROM house_accounts WHERE code = 'swaps'") > 0
    assert floor.broken_laws() == {}


def test_without_any_price_since_the_start_percent_waits_and_nothing_is_closed(
    floor: Floor,
) -> None:
    set_terms(floor, form=SwapForm.PERCENT, long_rate=Decimal("-3.6"))
    account = account_of(floor, PositionMode.HEDGING)
    with floor.engine(eurusd=None) as engine:
        quote_at(floor, engine, BEFORE, "1.09990", "1.10000")
        deal(engine, buy(account))
        deal(engine, sell(account, 50_000))
    command = RollOver(account_id=account, through=TUESDAY)
    with floor.engine(eurusd=None) as engine:
        floor.now = AFTER + timedelta(minutes=5)
        floor.quote(engine, "GBPUSD", "1.25000", "1.25010")
        report = ask(engine, command)
        refused = refusal(lambda: ask(engine, pair_up(account, *ids(floor, account))))
        assert rollovers(floor) == []
        quote_at(floor, engine, AFTER + timedelta(minutes=7), "1.10000", "1.10010")
        ask(engine, pair_up(account, *ids(floor, account)))
    assert report == RolloverReport(account, 0, Decimal(0), is_complete=False)
    assert refused.code is ErrorCode.ORDER_RATE_MISSING
    assert sorted(row[2:] for row in rollovers(floor)) == [
        (-50_000, Decimal("3.82")),
        (100_000, Decimal("-11.00")),
    ]
    assert floor.broken_laws() == {}


@pytest.fixture
def two_pairs(floor: Floor) -> str:
    """Return an account that is to be long EURUSD and USDJPY, whose swap is in percent."""
    set_terms(floor)
    set_terms(floor, symbol="USDJPY", form=SwapForm.PERCENT, long_rate=Decimal("-3.6"))
    return account_of(floor, PositionMode.HEDGING)


def quote_yen(floor: Floor, engine: Engine) -> None:
    engine.on_quote(Quote("USDJPY", Decimal("150.000"), Decimal("150.010"), floor.now))
    engine.wait_until_idle()


def test_a_position_whose_price_is_old_is_valued_at_the_last_one(
    floor: Floor, two_pairs: str
) -> None:
    with floor.engine(eurusd=None) as engine:
        quote_at(floor, engine, BEFORE - timedelta(minutes=5))
        quote_yen(floor, engine)
        deal(engine, buy(two_pairs))
        deal(engine, buy(two_pairs, symbol="USDJPY"))
        quote_at(floor, engine, BEFORE)
        quote_at(floor, engine, AFTER)
        booked = [row[3] for row in rollovers(floor)]
        ask(engine, close(two_pairs, ids(floor, two_pairs)[0]))
    assert booked == [Decimal("-7.50"), Decimal("-10.00")]
    assert len(rollovers(floor)) == 2
    assert floor.broken_laws() == {}


def test_a_position_that_cannot_be_valued_does_not_keep_the_others_from_paying(
    floor: Floor, two_pairs: str
) -> None:
    with floor.engine(eurusd=None) as engine:
        quote_at(floor, engine, BEFORE)
        quote_yen(floor, engine)
        deal(engine, buy(two_pairs))
        deal(engine, buy(two_pairs, symbol="USDJPY"))
    with floor.engine(eurusd=None) as engine:  # it has never seen a price of USDJPY
        quote_at(floor, engine, AFTER)
        alone = [row[3] for row in rollovers(floor)]
        ask(engine, close(two_pairs, ids(floor, two_pairs)[0]))
        floor.now += timedelta(seconds=61)
        quote_yen(floor, engine)
        quote_yen(floor, engine)
    assert alone == [Decimal("-7.50")]
    assert [row[3] for row in rollovers(floor)] == [Decimal("-7.50"), Decimal("-10.00")]
    assert floor.broken_laws() == {}


def test_what_is_owed_is_booked_before_a_part_is_closed_though_nobody_proposed_it(
    floor: Floor, hedger: str
) -> None:
    with floor.engine(eurusd=None) as engine:
        quote_at(floor, engine, BEFORE)
        deal(engine, buy(hedger))
        engine.take_time(AFTER)  # the day ends without a quote
        ask(engine, close(hedger, ids(floor, hedger)[0], 60_000))
        ask(engine, close(hedger, ids(floor, hedger)[0]))
        quote_at(floor, engine, AFTER + timedelta(seconds=1))
    assert rollovers(floor) == [(TUESDAY, 1, 100_000, Decimal("-7.50"))]
    assert floor.broken_laws() == {}


def test_what_is_owed_for_many_days_is_booked_before_a_position_is_closed(
    floor: Floor, hedger: str
) -> None:
    with floor.engine(eurusd=None) as engine:
        quote_at(floor, engine, BEFORE)
        deal(engine, buy(hedger))
    with floor.engine(eurusd=None) as engine:
        floor.now = AFTER + timedelta(days=77)
        quote = Quote("EURUSD", Decimal("1.1"), Decimal("1.1001"), floor.now)
        engine.on_quote(quote, propose=False)
        ask(engine, close(hedger, ids(floor, hedger)[0]))
    assert sum(row[1] for row in rollovers(floor)) == 78
    assert floor.broken_laws() == {}


def test_terms_that_begin_later_cost_nothing_before(floor: Floor) -> None:
    set_terms(floor, effective_on=date(2026, 1, 14))
    account = floor.account("100000")
    with floor.engine(eurusd=None) as engine:
        quote_at(floor, engine, BEFORE)
        deal(engine, buy(account))
        for day in range(2):
            quote_at(floor, engine, AFTER + timedelta(days=day))
    assert [row[:2] for row in rollovers(floor)] == [(date(2026, 1, 14), 3)]


def test_the_database_books_a_position_and_day_once(floor: Floor, hedger: str) -> None:
    with floor.engine(eurusd=None) as engine:
        quote_at(floor, engine, BEFORE)
        deal(engine, buy(hedger))
        quote_at(floor, engine, AFTER)
    again = (
        "INSERT INTO position_rollovers (id, position_id, rollover_on, days, quantity,"
        " conversion_rate, amount, operation) SELECT uuidv7(), position_id, rollover_on, days,"
        " quantity, conversion_rate, amount, operation FROM position_rollovers"
    )
    with pytest.raises(psycopg.errors.UniqueViolation) as caught:
        floor.session.execute(again.encode())
    assert caught.value.diag.constraint_name == "position_rollovers_booked_once"


def test_a_day_that_has_not_ended_by_the_market_is_not_rolled_over(
    floor: Floor, hedger: str
) -> None:
    command = RollOver(account_id=hedger, through=TUESDAY)
    with floor.engine(eurusd=None) as engine:
        quote_at(floor, engine, BEFORE)
        deal(engine, buy(hedger))
        refused = refusal(lambda: ask(engine, command))
    assert refused.code is ErrorCode.SWAP_DAY_NOT_ENDED
    assert rollovers(floor) == []


def test_a_day_that_has_not_ended_by_the_clock_is_not_rolled_over_by_hand(
    floor: Floor, hedger: str
) -> None:
    with floor.engine(eurusd=None) as engine:
        quote_at(floor, engine, BEFORE)
        deal(engine, buy(hedger))
    later = utc_now().date() + timedelta(days=2)
    quote = Quote("EURUSD", Decimal("1.1"), Decimal("1.1001"), BEFORE)
    refused = refusal(lambda: roll_day(floor.session, market_before([quote], later), later))
    assert refused.code is ErrorCode.SWAP_DAY_NOT_ENDED
    assert rollovers(floor) == []


def test_by_hand_every_day_is_booked_however_many_wait(floor: Floor, hedger: str) -> None:
    with floor.engine(eurusd=None) as engine:
        quote_at(floor, engine, BEFORE)
        deal(engine, buy(hedger))
    day = date(2026, 3, 31)
    quote = Quote("EURUSD", Decimal("1.1"), Decimal("1.1001"), BEFORE + timedelta(days=77))
    rolled = roll_day(floor.session, market_before([quote], day), day)
    assert rolled == RolledDay(accounts=1, booked=56, waiting=0)
    assert max(row[0] for row in rollovers(floor)) == day
    assert floor.broken_laws() == {}


def test_all_accounts_of_a_day_are_not_rolled_over_in_one_transaction(
    floor: Floor, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_terms(floor)
    accounts = [account_of(floor, PositionMode.HEDGING) for _ in range(7)]
    monkeypatch.setattr(queues, "PROPOSED_COMMANDS_MAX", 2)
    monkeypatch.setattr(writer, "BATCH_COMMANDS_MAX", 2)
    with floor.engine(eurusd=None) as engine:
        quote_at(floor, engine, BEFORE)
        for account in accounts:
            deal(engine, buy(account))
        quote_at(floor, engine, AFTER)
    assert len(rollovers(floor)) == 7
    assert floor.one("SELECT count(DISTINCT xmin::text) FROM position_rollovers") == 4
    assert floor.broken_laws() == {}
