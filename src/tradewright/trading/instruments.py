"""Instruments as people list them and change their terms; `registry` writes the row.

Symbol and currencies of an instrument are for ever. The terms are kept in memory by engines, which
read them again with the next batch after a change (decision 021). Margin beside the leverage is set
in `margin_terms`. The caller's transaction says who and why.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

from msgspec import Struct, structs

from tradewright.core.errors import ErrorCode, InputError, StateError
from tradewright.core.money import minor_unit
from tradewright.core.ranges import POSITIVE, require_ranges, whole
from tradewright.liquidity.asset_class import AssetClass, class_of_pair
from tradewright.liquidity.instrument import Instrument
from tradewright.liquidity.sessions import TradingSession
from tradewright.postgres.connect import Session
from tradewright.postgres.queries import load_queries
from tradewright.trading.commissions import RATES, CommissionForm
from tradewright.trading.reference import read_instruments
from tradewright.trading.registry import list_instrument, open_sessions

_CURRENCY_LENGTH = 3
_SYMBOL = re.compile("[A-Z0-9]{3,12}")
_LEVERAGE = whole(1, 500)
_RANGES = {
    "quantity_step": POSITIVE,
    "quantity_min": POSITIVE,
    "quantity_max": POSITIVE,
    "price_tick": POSITIVE,
    "leverage_max": _LEVERAGE,
    "leverage_max_retail": _LEVERAGE,
    "commission_per_million": RATES[CommissionForm.PER_MILLION],
    "quote_age_ms_max": whole(1, 2**31 - 1),
    "contract_size": POSITIVE,
}


class InstrumentTerms(Struct, frozen=True, kw_only=True):
    """What may be changed of an instrument; see `Instrument` for the units."""

    asset_class: AssetClass
    quantity_step: Decimal
    quantity_min: Decimal
    quantity_max: Decimal
    price_tick: Decimal
    leverage_max: int
    leverage_max_retail: int
    commission_per_million: Decimal = Decimal(0)
    quote_age_ms_max: int = 5_000
    contract_size: Decimal = Decimal(100_000)
    is_tradable: bool = True


def find_instrument(connection: Session, symbol: str) -> Instrument:
    """Return an instrument by its symbol.

    Raises:
        InputError: INSTRUMENT_UNKNOWN.

    """
    instruments = read_instruments(connection)
    if symbol not in instruments:
        raise InputError(
            ErrorCode.INSTRUMENT_UNKNOWN,
            f'unknown instrument "{symbol}"',
            why="It is not one that this broker lists.",
            hint="See them with `tradewright instruments list`.",
            facts={"symbol": symbol},
        )
    return instruments[symbol]


def terms_of(instrument: Instrument) -> InstrumentTerms:
    """Return the terms of an instrument that may be changed."""
    facts = {
        name: getattr(instrument, name)
        for name in InstrumentTerms.__struct_fields__
        if name != "quote_age_ms_max"
    }
    age_ms = round(instrument.quote_age_max / timedelta(milliseconds=1))
    return InstrumentTerms(**facts, quote_age_ms_max=age_ms)


def add_instrument(
    connection: Session,
    symbol: str,
    pair: tuple[str, str] | None,
    given: Mapping[str, Any],
    sessions: Sequence[TradingSession],
) -> Instrument:
    """List an instrument, priced in the second of a pair of currencies, and return it.

    Without a pair the symbol is one. What may be left out of the terms: the class of a pair of
    currencies, the least quantity (a step), and the leverage of retail clients (the most that the
    class allows). Without sessions it is traded always.

    Raises:
        InputError: INSTRUMENT_TERMS_MALFORMED, INPUT_CURRENCY_UNKNOWN.
        StateError: INSTRUMENT_EXISTS.

    """
    if symbol in read_instruments(connection):
        raise _exists(symbol)
    base, quote = pair or (symbol[:_CURRENCY_LENGTH], symbol[_CURRENCY_LENGTH:])
    completed = _completed(symbol, (base, quote), given)
    _require_named(symbol, base, quote)
    _require_terms(symbol, completed)
    terms = structs.asdict(completed)
    age = timedelta(milliseconds=terms.pop("quote_age_ms_max"))
    instrument = Instrument(
        symbol=symbol, base_currency=base, quote_currency=quote, quote_age_max=age, **terms
    )
    list_instrument(connection, instrument)
    open_sessions(connection, symbol, sessions)
    return find_instrument(connection, symbol)


def change_instrument(connection: Session, symbol: str, changes: Mapping[str, Any]) -> Instrument:
    """Change some terms of an instrument and return it; what is not named stays.

    Raises:
        InputError: INSTRUMENT_UNKNOWN, INSTRUMENT_TERMS_MALFORMED.

    """
    queries = load_queries("tradewright.trading")
    connection.execute(queries["lock_instrument"], {"symbol": symbol})
    terms = structs.replace(terms_of(find_instrument(connection, symbol)), **changes)
    _require_terms(symbol, terms)
    connection.execute(queries["change_instrument"], {"symbol": symbol, **structs.asdict(terms)})
    return find_instrument(connection, symbol)


def _completed(symbol: str, pair: tuple[str, str], given: Mapping[str, Any]) -> InstrumentTerms:
    """Return the terms that are given, with those that follow from them."""
    terms = dict(given)
    if "asset_class" not in terms and symbol == "".join(pair):
        terms["asset_class"] = class_of_pair(*pair)
    if "quantity_step" in terms:
        terms.setdefault("quantity_min", terms["quantity_step"])
    if "asset_class" in terms and "leverage_max" in terms:
        most = min(terms["leverage_max"], terms["asset_class"].leverage_max_retail)
        terms.setdefault("leverage_max_retail", most)
    required = [one.name for one in structs.fields(InstrumentTerms) if one.required]
    missing = [name for name in required if name not in terms]
    if missing:
        raise InputError(
            ErrorCode.INSTRUMENT_TERMS_MALFORMED,
            f'instrument "{symbol}" cannot be listed without {", ".join(missing)}',
            why="They follow from nothing else that was given.",
            hint="Give them with the others.",
            facts={"symbol": symbol, "missing": missing},
        )
    return InstrumentTerms(**terms)


def _require_named(symbol: str, base: str, quote: str) -> None:
    """Refuse a symbol that is no word of the market, and currencies that there are not."""
    if not _SYMBOL.fullmatch(symbol):
        raise _contradicted(symbol, "has a name that is none", "Name it in 3 to 12 of A-Z and 0-9.")
    minor_unit(base)
    minor_unit(quote)
    if base == quote:
        why = "is priced in the currency that it prices"
        raise _contradicted(symbol, why, "Give two currencies with --pair.")


def _require_terms(symbol: str, terms: InstrumentTerms) -> None:
    """Refuse terms out of range, and those that contradict each other."""
    require_ranges(ErrorCode.INSTRUMENT_TERMS_MALFORMED, structs.asdict(terms), _RANGES)
    least, most, step = terms.quantity_min, terms.quantity_max, terms.quantity_step
    retail, cap = terms.leverage_max_retail, terms.asset_class.leverage_max_retail
    if least % step:
        told = f"has a least quantity of {least:f}, which is no multiple of its step {step:f}"
        raise _contradicted(symbol, told, "Give --quantity-min in steps.")
    if most < least:
        told = f"has a largest quantity of {most:f}, below its least, {least:f}"
        raise _contradicted(symbol, told, "Give --quantity-max of at least --quantity-min.")
    if retail > terms.leverage_max:
        told = f"has more leverage for retail clients, {retail}, than for others"
        raise _contradicted(symbol, told, f"Give at most {terms.leverage_max}.")
    if retail > cap:
        told = f"has leverage {retail} for retail clients, and its class {terms.asset_class} {cap}"
        raise _contradicted(symbol, told, f"Give --leverage-max-retail of at most {cap}.")


def _contradicted(symbol: str, told: str, hint: str) -> InputError:
    return InputError(
        ErrorCode.INSTRUMENT_TERMS_MALFORMED,
        f'instrument "{symbol}" {told}',
        why="The terms of an instrument must fit each other, and the rules of its class.",
        hint=hint,
        facts={"symbol": symbol},
    )


def _exists(symbol: str) -> StateError:
    return StateError(
        ErrorCode.INSTRUMENT_EXISTS,
        f'instrument "{symbol}" is listed already',
        why="An instrument is listed once, and its terms are changed afterwards.",
        hint="Change them with `tradewright instruments set`.",
        facts={"symbol": symbol},
    )
