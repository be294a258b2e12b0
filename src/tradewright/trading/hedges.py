"""The house's hedges in a batch: decided under lock, passed on like an order, booked when answered.

A hedge is the house's own order to the providers. Its intent is committed before anybody is asked;
what they deal goes to the house's position with them, whose result moves in the quote currency
between the house's accounts for liquidity and for dealing. One hedge of a symbol is open at a
time; `hedging` proposes them.
"""

from decimal import Decimal

from tradewright.core.ids import new_id_text
from tradewright.core.money import Money, round_to_minor_unit
from tradewright.ledger.model import HouseCode
from tradewright.routing.hedging import wanted_hedge
from tradewright.trading.answers import (
    Told,
    Unsolicited,
    is_known,
    misfit,
    set_aside,
    take_name,
)
from tradewright.trading.books import aimed_at, note_ranking
from tradewright.trading.house_commands import HOUSE, OpenHedge
from tradewright.trading.model import BookAnswers, NothingDone
from tradewright.trading.rules import average_price_after, split_fill
from tradewright.trading.state import Desk, Hedge, HedgedPosition, HedgeStatus, RoutedOrder

HEDGE_VERSION = 1
"""A hedge is passed on once, so the ids of its requests have one version."""

_NOTHING = Decimal(0)


def open_hedge(desk: Desk, command: OpenHedge) -> NothingDone:
    """Decide about a hedge on the exposure as the database has it, and pass it on."""
    symbol = command.symbol
    instrument = desk.instruments[symbol]
    if any(one.symbol == symbol and one.is_open for one in desk.hedges.values()):
        return NothingDone("a hedge of the symbol is open")
    policy = desk.reference.routing.policies.get(symbol)
    exposure = desk.house_nets.get(symbol, _NOTHING)
    wanted = wanted_hedge(policy, exposure, instrument.quantity_step, has_begun=command.has_begun)
    if wanted is None:
        return NothingDone("the exposure is within its bounds")
    hedge = Hedge(
        id=new_id_text(),
        symbol=symbol,
        side=wanted.side,
        quantity=wanted.quantity,
        engine_id=desk.engine_id,
    )
    desk.hedges[hedge.id] = hedge
    desk.changes.hedges[hedge.id] = hedge
    desk.changes.hedges_opened.append(
        (
            *(hedge.id, symbol, wanted.side, wanted.quantity, wanted.exposure, wanted.limit),
            *(wanted.target, desk.market.now, desk.engine_id),
        )
    )
    desk.changes.routed.append(routed_hedge(hedge, aimed_at(desk, symbol, hedge.side)))
    note_ranking(desk, (None, hedge.id), symbol, hedge.side)
    return NothingDone("a hedge is no client's order")


def routed_hedge(hedge: Hedge, price: Decimal | None) -> RoutedOrder:
    """Return a hedge as the dispatcher passes it on: at the market, as far as it goes."""
    return RoutedOrder(
        account_id=HOUSE,
        order_id=hedge.id,
        symbol=hedge.symbol,
        side=hedge.side,
        quantity=hedge.quantity,
        limit_price=None,
        is_all_or_nothing=False,
        version=HEDGE_VERSION,
        aimed_at=price,
    )


def book_hedge(desk: Desk, command: BookAnswers) -> NothingDone:
    """Book what providers answered for a hedge; an execution that comes late is booked too."""
    hedge = desk.hedges[command.order_id]
    for told in command.answers:
        request, answer = told
        if answer.is_final:
            desk.changes.hedge_answers.append((hedge.id, request, answer))
        if is_known(desk, told) or answer.price is None:
            continue
        why = misfit(told, hedge.side, desk.instruments[hedge.symbol], None)
        if why is not None:
            set_aside(desk, told, answer.quantity, why)
            continue
        quantity = min(answer.quantity, hedge.quantity - hedge.filled_quantity)
        if answer.quantity > quantity:
            set_aside(desk, told, answer.quantity - quantity, Unsolicited.MORE_THAN_ASKED)
        if quantity:
            _fill(desk, hedge, told, (quantity, answer.price))
    is_ours = hedge.engine_id == desk.engine_id
    is_final = (command.is_final and is_ours) or not hedge.is_open
    hedge.status = _status(hedge, is_final=is_final)
    desk.changes.hedges[hedge.id] = hedge
    if command.may_go_on:
        desk.changes.going_on[hedge.id] = hedge.is_open and is_ours
    return NothingDone("a hedge is no client's order")


def _status(hedge: Hedge, *, is_final: bool) -> HedgeStatus:
    if hedge.filled_quantity == hedge.quantity:
        return HedgeStatus.FILLED
    if not is_final:
        return HedgeStatus.OPEN
    return HedgeStatus.PARTIALLY_FILLED if hedge.filled_quantity else HedgeStatus.REJECTED


def _fill(desk: Desk, hedge: Hedge, told: Told, dealt: tuple[Decimal, Decimal]) -> None:
    answer, (quantity, price) = told[1], dealt
    signed = quantity * hedge.side.sign
    position = desk.hedged_positions.setdefault(hedge.symbol, HedgedPosition(price=price))
    pnl = _realise(desk, hedge.symbol, position, (signed, price))
    position.seq += 1
    fill_id = new_id_text()
    hedge.filled_quantity += quantity
    desk.changes.hedge_fills.append(
        (
            *(fill_id, hedge.id, hedge.symbol, position.seq, desk.providers[answer.provider]),
            *(take_name(desk, told), signed, price, pnl, position.quantity, position.price),
            answer.decided_at,
        )
    )
    desk.changes.hedged.append((hedge.symbol, signed))
    if pnl:
        giver, receiver = HouseCode.LIQUIDITY, HouseCode.DEALING
        if pnl < 0:
            giver, receiver = receiver, giver
        money = Money(abs(pnl), desk.instruments[hedge.symbol].quote_currency)
        desk.journal.between_houses(giver, receiver, money, key=(fill_id, "hedge_pnl"))


def _realise(
    desk: Desk, symbol: str, position: HedgedPosition, dealt: tuple[Decimal, Decimal]
) -> Decimal:
    """Change the house's position by a signed fill; return the result in quote currency."""
    signed, price = dealt
    split = split_fill(position.quantity, signed)
    result = (position.price - price) * split.closes
    position.quantity += split.closes
    if split.opens:
        position.price = (
            average_price_after(position.quantity, position.price, split.opens, price)
            if position.quantity
            else price
        )
        position.quantity += split.opens
    return round_to_minor_unit(result, desk.instruments[symbol].quote_currency)
