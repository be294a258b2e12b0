"""The checks before a trade beside a second opinion, over random books, orders and limits.

A random account of any mode holds a random book and asks for a random order, under limits, halts
and breakers set near what the order comes to (`tests.second_opinion`).
"""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal, localcontext
from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.floor import DAY, PAIRS, market_of
from tests.property.test_margin_laws import terms
from tests.property.test_position_laws import REFERENCE
from tests.second_opinion import (
    MONEY,
    QUOTES,
    Case,
    Lot,
    decimal,
    free_after,
    is_asked,
    measure,
    opinions,
    unrealised,
    used_margin,
)
from tradewright.core.ids import new_id_text
from tradewright.ledger.model import Holder, HolderKind
from tradewright.liquidity.model import Side
from tradewright.risk.breakers import Breaker, BreakerBook, BreakerKind, BreakerState
from tradewright.risk.checks import first_denial
from tradewright.risk.halts import Halt, HaltBook, HaltMode
from tradewright.risk.limits import Limit, LimitBook, LimitKind, Target
from tradewright.risk.margin import margin_state
from tradewright.risk.model import ClientClass, HedgedMargin, MarginPrice, RiskProfile
from tradewright.risk.regimes import Regime
from tradewright.routing.model import Book
from tradewright.trading.facts import gather_facts
from tradewright.trading.groups import AccountGroup, PositionMode
from tradewright.trading.limits import Asked, limit_facts
from tradewright.trading.model import OrderType, Origin, TimeInForce
from tradewright.trading.state import AccountState, Desk, History, OrderState, PositionState

KINDS: list[LimitKind] = [kind for kind in LimitKind if kind is not LimitKind.DENIAL_RATE]
CENT = Decimal("0.01")
NEAR = Fraction(1, 10**9)
thousands = st.integers(-40, 40).filter(bool)
lots = st.builds(
    Lot,
    symbol=st.sampled_from(sorted(QUOTES)),
    thousands=st.integers(-12, 12).filter(bool),
    price=st.decimals("0.8", "1.6", places=3),
    opened=st.none() | st.decimals("0.8", "1.6", places=3),
)
amounts = st.integers(0, 100_000).map(Decimal)
rarely = st.sampled_from([False, False, False, False, True])


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Draw an account with an order; its balance is near what the order needs."""
    drawn = draw(st.tuples(terms, terms, terms))
    listed = {
        pair.symbol: replace(pair, margin=one, quantity_max=Decimal(35_000))
        for pair, one in zip(PAIRS[:3], drawn, strict=True)
    }
    regime = draw(st.sampled_from(Regime))
    mode = PositionMode.FIFO if regime is Regime.US else draw(st.sampled_from(PositionMode))
    rule = draw(st.sampled_from(HedgedMargin))
    is_at_open = rule is not HedgedMargin.NET and draw(st.booleans())
    held = [
        replace(lot, opened=(lot.opened or lot.price) if is_at_open else None)
        for lot in draw(st.lists(lots, max_size=5))
    ]
    price = st.none() | st.none() | st.decimals("0.8", "1.6", places=3)
    case = Case(
        mode=mode,
        rule=rule,
        regime=regime,
        client_class=draw(st.sampled_from(ClientClass)),
        is_at_open=is_at_open,
        leverage=draw(st.sampled_from([1, 20, 100, 500])),
        instruments=listed,
        lots=held,
        balance=Decimal(0),
        credit=draw(amounts),
        symbol=draw(st.sampled_from(sorted(QUOTES))),
        thousands=draw(thousands),
        limit_price=draw(price),
        stop_loss=draw(st.none() | st.none() | st.decimals("0.8", "1.6", places=1)),
        is_active=not draw(rarely),
        is_halted=draw(rarely),
        is_broken=draw(rarely),
        is_tradable=not draw(rarely),
        before=tuple(draw(st.lists(st.integers(1, 40), max_size=14))),
        messages=draw(st.integers(0, 3)),
        lost=draw(amounts),
        fallen=draw(amounts),
    )
    spare = draw(st.sampled_from([-CENT, CENT, Decimal(5_000_000), Decimal(5_000_000)]))
    return replace(case, balance=decimal(-free_after(case)).quantize(CENT) + spare)


def limits_near(case: Case, drawn: dict[LimitKind, str]) -> dict[LimitKind, Decimal]:
    """Return a limit of each kind, a factor away from what the order comes to."""
    with localcontext(prec=60):
        return {
            kind: (decimal(measure(case, kind)) * Decimal(factor)).quantize(Decimal("1e-8"))
            for kind, factor in drawn.items()
        }


def account_of(case: Case) -> AccountState:
    """Return the account as the engine has it under its lock."""
    account_id = new_id_text()
    holder = Holder.locked(
        HolderKind.ACCOUNT,
        holder_id=account_id,
        user_id=new_id_text(),
        currency="USD",
        available=case.balance,
        version=1,
    )
    positions: dict[str, list[PositionState]] = {}
    for lot in case.book:
        held = PositionState(
            id=new_id_text(),
            account_id=account_id,
            instrument=case.instruments[lot.symbol],
            mode=case.mode,
            quantity=decimal(lot.quantity),
            average_price=lot.price,
            realised_pnl=Decimal(0),
            stop_loss=None,
            take_profit=None,
            version=1,
            version_read=1,
            opening_rate=lot.opened,
        )
        positions.setdefault(lot.symbol, []).append(held)
    return AccountState(
        id=account_id,
        group=AccountGroup(
            code="some",
            position_mode=case.mode,
            hedged_margin=case.rule,
            margin_price=MarginPrice.OPEN if case.is_at_open else MarginPrice.CURRENT,
            regime=case.regime,
        ),
        is_active=case.is_active,
        book=Book.B,
        profile=profile_of(case),
        holder=holder,
        margin_call_id=None,
        positions=positions,
    )


def profile_of(case: Case) -> RiskProfile:
    levels = Decimal(100), Decimal(50)
    terms = case.client_class, "USD", case.leverage
    return RiskProfile(*terms, *levels, case.rule, case.credit, case.regime)


def order_of(case: Case, account_id: str) -> OrderState:
    quantity = Decimal(abs(case.thousands) * 1000)
    rests = case.limit_price is not None
    return OrderState(
        id=new_id_text(),
        account_id=account_id,
        client_order_id="one",
        instrument=case.instruments[case.symbol],
        side=Side.BUY if case.thousands > 0 else Side.SELL,
        order_type=OrderType.LIMIT if rests else OrderType.MARKET,
        time_in_force=TimeInForce.GTC if rests else TimeInForce.IOC,
        origin=Origin.CLIENT,
        book=Book.B,
        quantity=quantity,
        remaining_quantity=quantity,
        limit_price=case.limit_price,
        stop_loss=case.stop_loss,
    )


def desk_of(case: Case, account: AccountState, limits: dict[LimitKind, Decimal]) -> Desk:
    set_ = [
        Limit(
            id=kind,
            kind=kind,
            target=Target(),
            value=value,
            currency="USD" if kind in MONEY else None,
        )
        for kind, value in limits.items()
    ]
    halt = Halt(mode=HaltMode.HALTED, target=Target(), set_by="anna", reason="drill", set_at=DAY)
    broken = Breaker(
        id="B",
        code="b",
        kind=BreakerKind.MANUAL,
        symbol=None,
        threshold=Decimal(0),
        window=timedelta(),
        reset=timedelta(),
        cooldown=timedelta(),
        state=BreakerState.TRIGGERED,
    )
    listed = {
        symbol: replace(one, is_tradable=case.is_tradable)
        for symbol, one in case.instruments.items()
    }
    past = History(
        messages=case.messages,
        quantities={case.symbol: [Decimal(one * 1000) for one in case.before]},
        since_session=-case.lost,
        fallen=case.fallen,
    )
    return Desk(
        market=market_of(QUOTES),
        reference=replace(
            REFERENCE,
            instruments=listed,
            limits=LimitBook(set_),
            halts=HaltBook([halt] if case.is_halted else []),
            breakers=BreakerBook([broken] if case.is_broken else []),
        ),
        accounts={account.id: account},
        orders={},
        orders_by_key={},
        wallets={},
        entries_before={},
        histories={account.id: past},
    )


@settings(max_examples=400)
@given(
    cases(),
    st.dictionaries(
        st.sampled_from(KINDS), st.sampled_from(["0.5", "0.999", "1.001", "1"]), max_size=2
    ),
)
def test_an_order_is_denied_by_the_first_rule_that_it_breaks_and_by_no_other(
    case: Case, drawn: dict[LimitKind, str]
) -> None:
    limits, account = limits_near(case, drawn), account_of(case)
    case = replace(
        case,
        instruments={
            symbol: replace(one, is_tradable=case.is_tradable)
            for symbol, one in case.instruments.items()
        },
    )
    desk, order = desk_of(case, account, limits), order_of(case, account.id)
    with localcontext(prec=60):
        rests = case.limit_price is not None
        denial = first_denial(gather_facts(desk, account, order, rests=rests))
    expected = next((code for code in opinions(case, limits) if code is not None), None)
    assert (None if denial is None else denial.code) == expected


@settings(max_examples=200)
@given(cases())
def test_what_is_limited_is_measured_as_fractions_say(case: Case) -> None:
    account = account_of(case)
    everything: dict[LimitKind, Decimal] = dict.fromkeys(KINDS, Decimal(1))
    desk, order = desk_of(case, account, everything), order_of(case, account.id)
    rests = case.limit_price is not None
    with localcontext(prec=60):
        limited = limit_facts(Asked(desk, account, order, rests))
        assert limited is not None
        for kind in KINDS:
            if is_asked(case, kind):
                measured = limited.measure(kind)
                assert measured is not None
                assert abs(Fraction(measured) - measure(case, kind)) < NEAR, kind


@settings(max_examples=200)
@given(cases())
def test_equity_and_used_margin_are_what_fractions_say(case: Case) -> None:
    exposures = [one.exposure() for one in account_of(case).open_positions]
    with localcontext(prec=60):
        state = margin_state(profile_of(case), case.balance, exposures, market_of(QUOTES))
    assert state is not None
    equity = Fraction(case.balance) + Fraction(case.credit) + unrealised(case.book)
    assert abs(Fraction(state.equity) - equity) < NEAR
    assert abs(Fraction(state.used) - used_margin(case, case.book)) < NEAR
