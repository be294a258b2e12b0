"""What our own functions of the database refuse, by SQLSTATE; docs/reference/sqlstates.md."""

from collections.abc import Mapping
from types import MappingProxyType

from tradewright.core.errors import (
    ErrorCode,
    InputError,
    InternalError,
    MoneyError,
    StateError,
    TradewrightError,
)

Refusal = tuple[type[TradewrightError], ErrorCode]

FUNCTION_REFUSALS: Mapping[str, Refusal] = MappingProxyType(
    {
        "TW001": (InputError, ErrorCode.INPUT_AMOUNT_MALFORMED),
        "TW002": (MoneyError, ErrorCode.MONEY_IDEMPOTENCY_CONFLICT),
        "TW003": (MoneyError, ErrorCode.MONEY_INSUFFICIENT_FUNDS),
        "TW004": (InputError, ErrorCode.INPUT_CURRENCY_UNKNOWN),
        "TW005": (MoneyError, ErrorCode.ACCOUNT_NOT_ACTIVE),
        "TW006": (MoneyError, ErrorCode.MONEY_HOLD_EXHAUSTED),
        "TW007": (MoneyError, ErrorCode.MONEY_BALANCE_TOO_LARGE),
        "TW008": (MoneyError, ErrorCode.MONEY_ACCOUNT_HAS_POSITIONS),
        "TW009": (InputError, ErrorCode.INPUT_ID_MALFORMED),
        "TW010": (StateError, ErrorCode.RECORD_APPEND_ONLY),
        "TW011": (InternalError, ErrorCode.ORDER_WITHOUT_EVENTS),
        "TW012": (InternalError, ErrorCode.POSITION_WITHOUT_TRADES),
        "TW013": (InternalError, ErrorCode.MONEY_WITHOUT_ENTRIES),
        "TW014": (StateError, ErrorCode.PAYMENT_STATE_REFUSED),
        "TW015": (InternalError, ErrorCode.INTERNAL_LAWS_DIFFER),
        "TW016": (InputError, ErrorCode.INPUT_AMOUNT_NOT_POSITIVE),
        "TW017": (InputError, ErrorCode.INPUT_AMOUNT_OVER_SCALED),
        "TW018": (InputError, ErrorCode.INPUT_AMOUNT_TOO_LARGE),
        "TW019": (InputError, ErrorCode.MONEY_MOVEMENT_UNKNOWN),
        "TW020": (MoneyError, ErrorCode.MONEY_REVERSAL_EXCEEDED),
        "TW021": (StateError, ErrorCode.ORDER_IN_FLIGHT),
        "TW022": (MoneyError, ErrorCode.MONEY_ACCOUNT_HAS_ORDERS),
        "TW023": (InternalError, ErrorCode.MONEY_TRANSFER_WITHOUT_ENTRIES),
        "TW024": (InputError, ErrorCode.INPUT_CURRENCIES_ALIKE),
        "TW025": (InputError, ErrorCode.INPUT_REASON_MALFORMED),
        "TW030": (MoneyError, ErrorCode.PAYMENT_CLAIM_EXCEEDED),
        "TW031": (MoneyError, ErrorCode.MONEY_WALLET_FROZEN),
        "TW032": (MoneyError, ErrorCode.MONEY_WALLET_CLOSED),
        "TW033": (MoneyError, ErrorCode.MONEY_VERSION_DIFFERS),
        "TW034": (MoneyError, ErrorCode.MONEY_WALLET_STATUS_REFUSED),
        "TW035": (MoneyError, ErrorCode.MONEY_HOLDER_UNKNOWN),
        "TW036": (MoneyError, ErrorCode.MONEY_FLOOR_BREACHED),
        "TW037": (MoneyError, ErrorCode.MONEY_EXCHANGE_TOO_SMALL),
        "TW038": (InputError, ErrorCode.INPUT_RATE_MALFORMED),
        "TW039": (InputError, ErrorCode.INPUT_INSTANT_FUTURE),
        "TW040": (InputError, ErrorCode.INPUT_EXPIRY_PAST),
        "TW041": (StateError, ErrorCode.RECORD_RESTORED),
        "TW042": (StateError, ErrorCode.PAYMENT_APPROVAL_REFUSED),
        "TW043": (MoneyError, ErrorCode.MONEY_DEBT_MISSING),
        "TW050": (InternalError, ErrorCode.POSITION_MODE_DIFFERS),
        "TW051": (StateError, ErrorCode.POSITION_MODE_IN_USE),
        "TW052": (StateError, ErrorCode.MARGIN_PRICE_IN_USE),
        "TW053": (StateError, ErrorCode.STATEMENT_SETTLED),
        "TW060": (StateError, ErrorCode.ACCOUNT_CREDIT_REFUSED),
        "TW061": (StateError, ErrorCode.ACCOUNT_CREDIT_EXHAUSTED),
        "TW062": (InputError, ErrorCode.ACCOUNT_UNKNOWN),
        "TW063": (StateError, ErrorCode.ACCOUNT_STATUS_REFUSED),
        "TW064": (StateError, ErrorCode.USER_STATUS_REFUSED),
        "TW070": (StateError, ErrorCode.ARCHIVE_STEP_REFUSED),
        "TW071": (StateError, ErrorCode.ARCHIVE_MONTH_HELD),
        "TW072": (StateError, ErrorCode.ARCHIVE_TOO_EARLY),
        "TW073": (StateError, ErrorCode.ARCHIVE_MONTH_CHANGED),
        "TW075": (InputError, ErrorCode.VIEW_UNKNOWN),
        "TW076": (StateError, ErrorCode.VIEW_TRANSACTION_REFUSED),
        "TW078": (StateError, ErrorCode.ARCHIVE_TRANSACTION_REFUSED),
        "TW083": (InternalError, ErrorCode.POSITION_WITHOUT_AMENDMENT),
        "TW084": (StateError, ErrorCode.PAYMENT_SUSPENSE_REFUSED),
        "TW085": (StateError, ErrorCode.PAYMENT_SUSPENSE_RETURN_REFUSED),
    }
)
"""SQLSTATE of class TW → what our own functions mean by it."""
