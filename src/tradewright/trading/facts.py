"""What the checks before a trade ask about an order, gathered from the rows of the batch.

Everything is read in memory, under the account's lock; nothing here reads the database or changes
a row. The checks themselves stand in `risk/checks`, one file each.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal

from tradewright.liquidity.last_prices import LastPrices
from tradewright.liquidity.market import Prices, Rate, is_priced
from tradewright.risk.margin import Exposure, closing_price, conversion, margin_state
from tradewright.risk.model import OrderFacts
from tradewright.trading import rules
from tradewright.trading.in_flight import (
    InFlight,
    flying_charges,
    flying_exposures,
    in_flight,
    routed_orders,
)
from tradewright.trading.limits import Asked, expected_price, limit_facts
from tradewright.trading.opening_rates import average_rate, opening_rate
from tradewright.trading.pending import (
    binds_at_rest,
    bound_beside,
    held_by,
    pending_beside,
    prices_at_rest,
)
from tradewright.trading.positions import Matched, charge, match_fill, rate_sources
from tradewright.trading.reducing import executable
from tradewright.trading.state import AccountState, Desk, OrderState

_NOTHING = Decimal(0)


def gather_facts(
    desk: Desk, account: AccountState, order: OrderState, *, rests: bool
) -> OrderFacts:
    """Gather what the checks ask about an order."""
    instrument, side = order.instrument, order.side
    top = desk.market.top(instrument.symbol)
    price = None if top is None else rules.dealing_price(top, side)
    signed = order.remaining_quantity * side.sign
    flight = in_flight(account)
    reduces = not _matched(account, order, signed, flight).opens
    asked = Asked(desk, account, order, rests)
    pending = pending_beside(account, order, rests=rests)
    binds = rests and binds_at_rest(account, order, pending)
    counts = binds if rests else not reduces
    prices, rates = _priced(asked, pending if counts else None, binds=binds, counts=counts)
    return OrderFacts(
        account_is_active=account.is_active,
        instrument=instrument,
        is_in_session=instrument.is_in_session(desk.market.now),
        side=side,
        quantity=order.quantity,
        reduces=reduces,
        is_resting=rests,
        binds_at_rest=binds,
        reference_price=_own_price(asked, prices, price, binds=binds) if rests else price,
        closing_price=None if top is None or rests else closing_price(top, signed),
        stop_loss=order.stop_loss,
        take_profit=order.take_profit,
        rates=rates,
        free_margin_after=lambda: _free_margin_after(asked, prices, rates, flight, pending),
        limited=limit_facts(asked) if desk.reference.limits else None,
        breaker=desk.reference.breakers.of(instrument.symbol),
        halt=desk.reference.halts.of(account.id, account.group.code, instrument.symbol),
    )


def _own_price(
    asked: Asked, prices: Prices, price: Decimal | None, *, binds: bool
) -> Decimal | None:
    """Return the price that a resting order's protections must stand around: its own.

    None of one that binds margin while it rests in what is open and has had no price.
    """
    order = asked.order
    own = prices_at_rest(prices, asked.account, [order])
    if binds and own.top(order.instrument.symbol) is None:
        return None
    return order.limit_price or order.stop_price or price


def _priced(
    asked: Asked, pending: Sequence[OrderState] | None, *, binds: bool, counts: bool
) -> tuple[Prices, tuple[Rate, Rate] | None]:
    """Return by which prices an order is asked, with its rates to the account's currency.

    Those of now. But what only rests and binds is asked by the last ones known where some of now
    are missing, and that is noted: nothing deals on them.
    """
    desk, symbol = asked.desk, asked.order.instrument.symbol
    rates = _rates(asked, desk.market, pending, counts=counts)
    if not binds or (rates is not None and desk.market.top(symbol) is not None):
        return desk.market, rates
    known = desk.last_prices[asked.order.id] = LastPrices(desk.market)
    return known, _rates(asked, known, pending, counts=counts)


def _rates(
    asked: Asked, prices: Prices, pending: Sequence[OrderState] | None, *, counts: bool
) -> tuple[Rate, Rate] | None:
    """Return quote and base rates to the account's currency; None when the account has no value.

    Where nothing is counted, because the order only reduces, it is enough that its own is known:
    a missing price elsewhere keeps nobody from closing. What is `pending` must have a value too;
    nor is there any when the swap of what it holds in the instrument is due and waits for one.
    What is with providers may deal now, and has that of now.
    """
    desk, account, instrument = asked.desk, asked.account, asked.order.instrument
    currency = account.profile.currency
    if (account.id, instrument.symbol) in desk.unvalued:
        return None
    own = prices if pending is None else prices_at_rest(prices, account, [asked.order])
    quote_rate = own.rate(instrument.quote_currency, currency)
    base_rate = own.rate(instrument.base_currency, currency)
    if quote_rate is None or base_rate is None:
        return None
    flying = routed_orders(account) if counts or asked.rests else []
    if (flying or desk.reference.commissions) and not _is_chargeable(asked, flying):
        return None
    for held in account.open_positions if counts or asked.rests else ():
        if held.instrument is not instrument and not is_priced(prices, held.instrument, currency):
            return None
    for one in {one.instrument.symbol: one for one in pending or ()}.values():
        beside = prices_at_rest(prices, account, [one])
        if one.instrument is not instrument and not is_priced(beside, one.instrument, currency):
            return None
    return quote_rate, base_rate


def _is_chargeable(asked: Asked, flying: Sequence[OrderState]) -> bool:
    """Return whether what is with providers has a price of now, and all that deals its commission.

    That of an order that is to rest is asked when it deals.
    """
    desk, account, instrument = asked.desk, asked.account, asked.order.instrument
    market, currency = desk.market, account.profile.currency
    dealing = [order.instrument for order in flying]
    if desk.reference.commissions:
        for charged in dealing if asked.rests else (instrument, *dealing):
            sources = rate_sources(desk, account, charged)
            if any(market.rate(one, currency) is None for one in sources):
                return False
    return all(
        is_priced(market, one, currency) for one in dealing if asked.rests or one is not instrument
    )


def _matched(
    account: AccountState, order: OrderState, signed: Decimal, flight: InFlight
) -> Matched:
    """Match an order with what is left to close beside the orders in flight.

    One that only reduces never deals more than is left, and so opens nothing whatever it asks for.
    """
    if order.is_reduce_only:
        return match_fill(account, order, executable(account, order) * order.side.sign)
    return match_fill(account, order, signed, flight.closes)


def _free_margin_after(
    asked: Asked,
    prices: Prices,
    rates: tuple[Rate, Rate] | None,
    flight: InFlight,
    pending: Iterable[OrderState] | None,
) -> Decimal:
    """Return the free margin that the account would have after dealing the order.

    Of one that is to rest, the free margin beside it. What is `pending` binds beside all else.
    """
    desk, account, order = asked.desk, asked.account, asked.order
    symbol = order.instrument.symbol
    exposures = flying_exposures(desk, account, flight, None if asked.rests else order)
    if rates is None or exposures is None:
        raise AssertionError("asked only after the checks for price and rates")
    exposures += [
        position.exposure()
        for position in account.open_positions
        if position.instrument.symbol != symbol
    ]
    after, gained = _dealt(asked, flight, rates[0])
    balance = account.holder.available + gained - flying_charges(desk, account)
    exposures += after
    state = margin_state(account.profile, balance, exposures, prices)
    if state is None:
        raise AssertionError("asked only after the check for rates")
    return state.free - _bound(asked, prices, pending, after, exposures)


def _bound(
    asked: Asked,
    prices: Prices,
    pending: Iterable[OrderState] | None,
    after: list[Exposure],
    counted: list[Exposure],
) -> Decimal:
    """Return what is pending binds beside all counted; `after` is that in the order's symbol."""
    if pending is None:
        return _NOTHING
    held = held_by(asked.account) | {asked.order.instrument.symbol: after}
    bound = bound_beside(prices, asked.account, held, pending, counted)
    if bound is None:
        raise AssertionError("asked only after the check for rates")
    return bound


def _dealt(asked: Asked, flight: InFlight, quote_rate: Rate) -> tuple[list[Exposure], Decimal]:
    """Return the exposures in the order's symbol after it has dealt, and what that would bring.

    That is what it would realise, each position converted by itself as it will be booked, less its
    commission; nothing if it is to rest.
    """
    account, order = asked.account, asked.order
    instrument, gained = order.instrument, _NOTHING
    left = {one.id: one.exposure() for one in account.positions.get(instrument.symbol, ())}
    if asked.rests:
        return list(left.values()), gained
    price, matched = _price(asked), _matched(account, order, asked.signed, flight)
    for position, part in matched.closes:
        result = (position.average_price - price) * part
        gained += result * conversion(result, quote_rate)
        del left[position.id]
        if position.quantity + part:
            left[position.id] = position.exposure_without(abs(part))
    exposures = list(left.values())
    if matched.opens:
        worth = opening_rate(account, price, quote_rate.mid)
        added = Exposure(instrument, matched.opens, price, worth)
        joins = account.nets and left and exposures[-1].quantity * matched.opens > 0
        exposures.append(_joined(exposures.pop(), added) if joins else added)
    return exposures, gained - charge(asked.desk, account, instrument, asked.signed)


def _price(asked: Asked) -> Decimal:
    """Return what the order would deal at now, on average."""
    price = expected_price(asked.desk, asked.order)
    if price is None:
        raise AssertionError("asked only after the check for a price")
    return price


def _joined(one: Exposure, added: Exposure) -> Exposure:
    """Return a position after more has been opened on its own side."""
    average = rules.average_price_after(
        one.quantity, one.average_price, added.quantity, added.average_price
    )
    quantity = one.quantity + added.quantity
    return Exposure(one.instrument, quantity, average, average_rate(one, added))
