"""Who and what there is: users, accounts, instruments and providers are opened here.

Each function works in the caller's transaction. What is opened is audited by trigger.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from tradewright.core.errors import ErrorCode, InputError, StateError
from tradewright.core.money import minor_unit
from tradewright.core.ranges import Range, require_ranges, whole
from tradewright.liquidity.instrument import Instrument
from tradewright.liquidity.sessions import FOREX_WEEK, TradingSession
from tradewright.postgres.connect import Session
from tradewright.postgres.queries import load_queries
from tradewright.risk.model import ClientClass
from tradewright.routing.model import Book
from tradewright.routing.scoring import NO_TERMS, Terms
from tradewright.trading.groups import STANDARD

_QUERIES = "tradewright.trading"
_PROVIDER = re.compile("[A-Z0-9-]{2,32}")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")
_KYC = {"kyc_level": whole(0, 4)}
_LEVEL = Range(Decimal(0), Decimal("99999.9999"), decimals=4, is_open=True)
_ACCOUNT = {
    "leverage": whole(1, 500),
    "margin_call_level": _LEVEL,
    "stop_out_level": _LEVEL,
}
_PRIORITY = {"priority": whole(0, 2**15 - 1)}


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountSettings:
    """How an account trades: currency, leverage, group, book, its two margin levels in percent."""

    currency: str
    leverage: int
    group: str = STANDARD
    book: Book = Book.B
    margin_call_level: Decimal = Decimal(100)
    stop_out_level: Decimal = Decimal(50)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedProvider:
    """A liquidity provider, and whether it is dealt with."""

    provider: str
    priority: int
    is_enabled: bool


def open_user(connection: Session, *, email: str, client_class: ClientClass, kyc_level: int) -> str:
    """Open a user and return its id; the address is kept in small letters, so that nobody has two.

    Raises:
        InputError: USER_MALFORMED.
        psycopg.Error: a user has the address already.

    """
    if not _EMAIL.fullmatch(email):
        raise InputError(
            ErrorCode.USER_MALFORMED,
            f'"{email}" is no e-mail address',
            why="An address has one @, and no blanks.",
            hint="Give the address of the user.",
        )
    require_ranges(ErrorCode.USER_MALFORMED, {"kyc_level": kyc_level}, _KYC)
    return _id_of(
        connection.execute(
            load_queries(_QUERIES)["add_user"],
            {"email": email.lower(), "client_class": client_class, "kyc_level": kyc_level},
        ).fetchone()
    )


def grant_role(connection: Session, user_id: str, role: str) -> None:
    """Grant a role (`access.Role`); granting it again changes nothing."""
    connection.execute(load_queries(_QUERIES)["add_role"], {"user_id": user_id, "role": role})


def open_account(connection: Session, user_id: str, settings: AccountSettings) -> str:
    """Open an empty trading account for an active trader and return its id.

    Raises:
        InputError: USER_UNKNOWN, ACCOUNT_TERMS_MALFORMED, INPUT_CURRENCY_UNKNOWN.
        StateError: USER_ROLE_MISSING.
        psycopg.Error: the group does not exist.

    """
    _require_terms(settings)
    _require_trader(connection, user_id)
    return _id_of(
        connection.execute(
            load_queries(_QUERIES)["add_account"],
            {
                "user_id": user_id,
                "group_code": settings.group,
                "currency": settings.currency,
                "leverage": settings.leverage,
                "margin_call_level": settings.margin_call_level,
                "stop_out_level": settings.stop_out_level,
                "book": settings.book,
            },
        ).fetchone()
    )


def _require_trader(connection: Session, user_id: str) -> None:
    query = load_queries(_QUERIES)["user_may_trade"]
    row = connection.execute(query, {"user_id": user_id}).fetchone()
    if row is None:
        raise InputError(
            ErrorCode.USER_UNKNOWN,
            f'user "{user_id}" does not exist',
            why="An account belongs to a user.",
            hint="Open the user first with `tradewright users open`.",
        )
    if row != (True, True):
        raise StateError(
            ErrorCode.USER_ROLE_MISSING,
            f'user "{user_id}" cannot open a trading account',
            why="It takes an active user with the role trader.",
            hint="Grant the role with `tradewright users grant`, or reinstate the user with "
            "`tradewright users reinstate`.",
        )


def _require_terms(settings: AccountSettings) -> None:
    """Refuse a currency that there is not, and numbers that are out of range or contradict."""
    minor_unit(settings.currency)
    numbers = {name: getattr(settings, name) for name in _ACCOUNT}
    require_ranges(ErrorCode.ACCOUNT_TERMS_MALFORMED, numbers, _ACCOUNT)
    if settings.margin_call_level < settings.stop_out_level:
        raise InputError(
            ErrorCode.ACCOUNT_TERMS_MALFORMED,
            f"margin call level {settings.margin_call_level:f} % is below stop-out level "
            f"{settings.stop_out_level:f} %",
            why="An account is called before its positions are closed.",
            hint="Give a margin call level of at least the stop-out level.",
        )


def list_instrument(connection: Session, instrument: Instrument) -> None:
    """List an instrument; one that is listed already stays as it is."""
    connection.execute(
        load_queries(_QUERIES)["add_instrument"],
        {
            "symbol": instrument.symbol,
            "base_currency": instrument.base_currency,
            "quote_currency": instrument.quote_currency,
            "quantity_step": instrument.quantity_step,
            "quantity_min": instrument.quantity_min,
            "quantity_max": instrument.quantity_max,
            "price_tick": instrument.price_tick,
            "leverage_max": instrument.leverage_max,
            "leverage_max_retail": instrument.leverage_max_retail,
            "commission_per_million": instrument.commission_per_million,
            "quote_age_ms_max": round(instrument.quote_age_max.total_seconds() * 1000),
            "is_tradable": instrument.is_tradable,
            "contract_size": instrument.contract_size,
            "asset_class": instrument.asset_class,
        },
    )


def open_sessions(
    connection: Session, symbol: str, sessions: Iterable[TradingSession] = (FOREX_WEEK,)
) -> None:
    """Let an instrument be traded in these weekly sessions only; those that it has stay.

    Raises:
        InputError: INPUT_TIMEZONE_UNKNOWN.

    """
    for session in sessions:
        _require_place(session.timezone)
        connection.execute(
            load_queries(_QUERIES)["add_trading_session"],
            {
                "symbol": symbol,
                "opens_weekday": session.opens_weekday,
                "opens_at": session.opens_at,
                "closes_weekday": session.closes_weekday,
                "closes_at": session.closes_at,
                "timezone": session.timezone,
            },
        )


def _require_place(timezone: str) -> None:
    try:
        ZoneInfo(timezone)
    except (ValueError, OSError, ZoneInfoNotFoundError):
        raise InputError(
            ErrorCode.INPUT_TIMEZONE_UNKNOWN,
            f'time zone "{timezone}" is not known',
            why="Sessions follow the clocks of a place that the IANA database names.",
            hint="Use a name such as America/New_York or UTC.",
        ) from None


def list_provider(
    connection: Session, *, code: str, priority: int, terms: Terms = NO_TERMS
) -> None:
    """List a liquidity provider; one that is listed already stays as it is.

    Of `terms` its fee and quantities are kept.

    Raises:
        InputError: PROVIDER_MALFORMED.

    """
    if not _PROVIDER.fullmatch(code):
        raise InputError(
            ErrorCode.PROVIDER_MALFORMED,
            f'"{code}" is no code of a liquidity provider',
            why="A code is 2 to 32 of A-Z, 0-9 and -.",
            hint="Choose such a code.",
            facts={"provider": code},
        )
    require_ranges(ErrorCode.PROVIDER_MALFORMED, {"priority": priority}, _PRIORITY)
    connection.execute(
        load_queries(_QUERIES)["add_provider"],
        {
            "code": code,
            "priority": priority,
            "fee_bps": terms.fee_bps,
            "quantity_min": terms.quantity_min,
            "quantity_max": terms.quantity_max,
        },
    )


def read_providers(connection: Session) -> list[ListedProvider]:
    """Return every liquidity provider, by priority."""
    rows = connection.execute(load_queries(_QUERIES)["providers"], {}).fetchall()
    return [ListedProvider(provider=row[1], priority=row[2], is_enabled=row[3]) for row in rows]


def enable_provider(connection: Session, code: str, *, is_enabled: bool) -> None:
    """Let a provider be dealt with, or no more; every engine's next batch knows.

    What it has been asked for is not asked back, and what it has dealt is booked.

    Raises:
        InputError: PROVIDER_UNKNOWN.

    """
    asked = {"code": code, "is_enabled": is_enabled}
    row = connection.execute(load_queries(_QUERIES)["enable_provider"], asked).fetchone()
    if row is None:
        raise InputError(
            ErrorCode.PROVIDER_UNKNOWN,
            f'liquidity provider "{code}" is not listed',
            why="Only a provider of this house is dealt with, or no more.",
            hint="See the providers with tradewright providers list.",
            facts={"provider": code},
        )


def _id_of(row: tuple[object, ...] | None) -> str:
    if row is None:
        raise AssertionError("INSERT ... RETURNING gives a row")
    return str(row[0])
