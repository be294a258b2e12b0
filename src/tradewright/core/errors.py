"""The error tree: every failure that a user may read is one of these.

    TradewrightError
    ├── InputError          what was given cannot be accepted; nothing was changed
    ├── StateError          what was asked for does not fit the state it met
    ├── MoneyError          a movement of money was refused by the ledger
    ├── DatabaseError       the server refused, failed or could not be reached
    │   └── RetryableError  the same transaction may succeed if it is run again
    ├── MigrationError      a migration cannot be found, read, applied or rolled back
    └── InternalError       a law of the house is broken: a defect, not a use

An error carries a code (`CATEGORY_CONDITION`), *what* happened (a short fact), *why* (facts in
sentences), a *hint* (what to do, beginning with a verb) and the facts as values. The command
line, HTTP and the console render the same object. Codes are documented in
docs/reference/error-codes.md; a test keeps the list and the page equal.
"""

from collections.abc import Mapping
from enum import StrEnum


class ErrorCode(StrEnum):
    """Every code that a user may meet, grouped by category."""

    ACCOUNT_NOT_ACTIVE = "ACCOUNT_NOT_ACTIVE"
    ACCOUNT_UNKNOWN = "ACCOUNT_UNKNOWN"
    BENCH_PGBENCH_FAILED = "BENCH_PGBENCH_FAILED"
    DATABASE_CONNECTION_LOST = "DATABASE_CONNECTION_LOST"
    DATABASE_CONSTRAINT_VIOLATED = "DATABASE_CONSTRAINT_VIOLATED"
    DATABASE_DEADLOCKED = "DATABASE_DEADLOCKED"
    DATABASE_LOCK_TIMEOUT = "DATABASE_LOCK_TIMEOUT"
    DATABASE_OUTCOME_UNKNOWN = "DATABASE_OUTCOME_UNKNOWN"
    DATABASE_PERMISSION_DENIED = "DATABASE_PERMISSION_DENIED"
    DATABASE_READ_ONLY = "DATABASE_READ_ONLY"
    DATABASE_RESOURCES_EXHAUSTED = "DATABASE_RESOURCES_EXHAUSTED"
    DATABASE_SERIALIZATION_FAILED = "DATABASE_SERIALIZATION_FAILED"
    DATABASE_SHADOW_FAILED = "DATABASE_SHADOW_FAILED"
    DATABASE_STATEMENT_FAILED = "DATABASE_STATEMENT_FAILED"
    DATABASE_TIMEOUT = "DATABASE_TIMEOUT"
    DATABASE_TOO_OLD = "DATABASE_TOO_OLD"
    DATABASE_UNREACHABLE = "DATABASE_UNREACHABLE"
    DATABASE_VALUE_REFUSED = "DATABASE_VALUE_REFUSED"
    DEMO_DAY_FINISHED = "DEMO_DAY_FINISHED"
    DEMO_NOTHING_TO_RESUME = "DEMO_NOTHING_TO_RESUME"
    EMBEDDED_FOLDER_UNUSABLE = "EMBEDDED_FOLDER_UNUSABLE"
    EMBEDDED_IN_PRODUCTION = "EMBEDDED_IN_PRODUCTION"
    EMBEDDED_NOT_INSTALLED = "EMBEDDED_NOT_INSTALLED"
    EMBEDDED_START_FAILED = "EMBEDDED_START_FAILED"
    EMBEDDED_STOP_FAILED = "EMBEDDED_STOP_FAILED"
    EMBEDDED_USER_MISSING = "EMBEDDED_USER_MISSING"
    ENGINE_QUEUE_FULL = "ENGINE_QUEUE_FULL"
    ENGINE_STOPPED = "ENGINE_STOPPED"
    EXCHANGE_RATE_MALFORMED = "EXCHANGE_RATE_MALFORMED"
    EXCHANGE_RATE_MISSING = "EXCHANGE_RATE_MISSING"
    EXCHANGE_RATE_STALE = "EXCHANGE_RATE_STALE"
    INPUT_AMOUNT_MALFORMED = "INPUT_AMOUNT_MALFORMED"
    INPUT_AMOUNT_NOT_POSITIVE = "INPUT_AMOUNT_NOT_POSITIVE"
    INPUT_AMOUNT_OVER_SCALED = "INPUT_AMOUNT_OVER_SCALED"
    INPUT_AMOUNT_TOO_LARGE = "INPUT_AMOUNT_TOO_LARGE"
    INPUT_CURRENCY_UNKNOWN = "INPUT_CURRENCY_UNKNOWN"
    INPUT_DATABASE_URL_MALFORMED = "INPUT_DATABASE_URL_MALFORMED"
    INPUT_EXPIRY_PAST = "INPUT_EXPIRY_PAST"
    INPUT_HEADS_MALFORMED = "INPUT_HEADS_MALFORMED"
    INPUT_HOUSE_UNKNOWN = "INPUT_HOUSE_UNKNOWN"
    INPUT_ID_MALFORMED = "INPUT_ID_MALFORMED"
    INPUT_OPERATION_MALFORMED = "INPUT_OPERATION_MALFORMED"
    INPUT_PURPOSE_UNKNOWN = "INPUT_PURPOSE_UNKNOWN"
    INPUT_INSTANT_FUTURE = "INPUT_INSTANT_FUTURE"
    INPUT_RATE_MALFORMED = "INPUT_RATE_MALFORMED"
    INPUT_REVIEW_BASELINE_UNREADABLE = "INPUT_REVIEW_BASELINE_UNREADABLE"
    INPUT_REVIEW_FOLDER_EMPTY = "INPUT_REVIEW_FOLDER_EMPTY"
    INPUT_REVIEW_REVISION_UNKNOWN = "INPUT_REVIEW_REVISION_UNKNOWN"
    INPUT_REVIEW_RULE_UNKNOWN = "INPUT_REVIEW_RULE_UNKNOWN"
    INPUT_REVIEW_SETTINGS_UNREADABLE = "INPUT_REVIEW_SETTINGS_UNREADABLE"
    INSTRUMENT_NOT_TRADABLE = "INSTRUMENT_NOT_TRADABLE"
    INSTRUMENT_UNKNOWN = "INSTRUMENT_UNKNOWN"
    INTERNAL_DEFECT = "INTERNAL_DEFECT"
    INTERNAL_LAWS_DIFFER = "INTERNAL_LAWS_DIFFER"
    INTERNAL_LAW_BROKEN = "INTERNAL_LAW_BROKEN"
    INTERNAL_PARSER_MISSING = "INTERNAL_PARSER_MISSING"
    INTERNAL_QUERY_FILE_MALFORMED = "INTERNAL_QUERY_FILE_MALFORMED"
    MIGRATION_CONTROLS_TRANSACTION = "MIGRATION_CONTROLS_TRANSACTION"
    MIGRATION_DOWN_MISSING = "MIGRATION_DOWN_MISSING"
    MIGRATION_DOWN_ORPHANED = "MIGRATION_DOWN_ORPHANED"
    MIGRATION_EDITED = "MIGRATION_EDITED"
    MIGRATION_FAILED = "MIGRATION_FAILED"
    MIGRATION_FILE_MISSING = "MIGRATION_FILE_MISSING"
    MIGRATION_FILE_UNREADABLE = "MIGRATION_FILE_UNREADABLE"
    MIGRATION_FOLDER_EMPTY = "MIGRATION_FOLDER_EMPTY"
    MIGRATION_HISTORY_EXISTS = "MIGRATION_HISTORY_EXISTS"
    MIGRATION_INDEX_UNNAMED = "MIGRATION_INDEX_UNNAMED"
    MIGRATION_LOCKED = "MIGRATION_LOCKED"
    MIGRATION_LOCK_LOST = "MIGRATION_LOCK_LOST"
    MIGRATION_NAME_MALFORMED = "MIGRATION_NAME_MALFORMED"
    MIGRATION_OUT_OF_ORDER = "MIGRATION_OUT_OF_ORDER"
    MIGRATION_POOLED = "MIGRATION_POOLED"
    MIGRATION_REVIEW_FAILED = "MIGRATION_REVIEW_FAILED"
    MIGRATION_SYNTAX_WRONG = "MIGRATION_SYNTAX_WRONG"
    MIGRATION_UNFINISHED = "MIGRATION_UNFINISHED"
    MIGRATION_VERSION_DUPLICATED = "MIGRATION_VERSION_DUPLICATED"
    MIGRATION_VERSION_SKIPPED = "MIGRATION_VERSION_SKIPPED"
    MIGRATION_VERSION_UNKNOWN = "MIGRATION_VERSION_UNKNOWN"
    MONEY_ACCOUNT_HAS_POSITIONS = "MONEY_ACCOUNT_HAS_POSITIONS"
    MONEY_BALANCE_TOO_LARGE = "MONEY_BALANCE_TOO_LARGE"
    MONEY_CURRENCY_MISMATCH = "MONEY_CURRENCY_MISMATCH"
    MONEY_EXCHANGE_TOO_SMALL = "MONEY_EXCHANGE_TOO_SMALL"
    MONEY_FLOOR_BREACHED = "MONEY_FLOOR_BREACHED"
    MONEY_HOLDER_UNKNOWN = "MONEY_HOLDER_UNKNOWN"
    MONEY_HOLD_EXHAUSTED = "MONEY_HOLD_EXHAUSTED"
    MONEY_IDEMPOTENCY_CONFLICT = "MONEY_IDEMPOTENCY_CONFLICT"
    MONEY_INSUFFICIENT_FUNDS = "MONEY_INSUFFICIENT_FUNDS"
    MONEY_MOVEMENT_UNKNOWN = "MONEY_MOVEMENT_UNKNOWN"
    MONEY_REVERSAL_EXCEEDED = "MONEY_REVERSAL_EXCEEDED"
    MONEY_VERSION_DIFFERS = "MONEY_VERSION_DIFFERS"
    MONEY_WALLET_CLOSED = "MONEY_WALLET_CLOSED"
    MONEY_WALLET_FROZEN = "MONEY_WALLET_FROZEN"
    MONEY_WALLET_STATUS_REFUSED = "MONEY_WALLET_STATUS_REFUSED"
    MONEY_WITHOUT_ENTRIES = "MONEY_WITHOUT_ENTRIES"
    ORDER_DUPLICATE_DIFFERS = "ORDER_DUPLICATE_DIFFERS"
    ORDER_ENDED = "ORDER_ENDED"
    ORDER_FIELDS_CONTRADICT = "ORDER_FIELDS_CONTRADICT"
    ORDER_IN_FLIGHT = "ORDER_IN_FLIGHT"
    ORDER_KEY_MALFORMED = "ORDER_KEY_MALFORMED"
    ORDER_LIQUIDITY_EXHAUSTED = "ORDER_LIQUIDITY_EXHAUSTED"
    ORDER_MARGIN_INSUFFICIENT = "ORDER_MARGIN_INSUFFICIENT"
    ORDER_PRICE_MALFORMED = "ORDER_PRICE_MALFORMED"
    ORDER_PRICE_OFF_TICK = "ORDER_PRICE_OFF_TICK"
    ORDER_PRICE_STALE = "ORDER_PRICE_STALE"
    ORDER_PROTECTION_ON_WRONG_SIDE = "ORDER_PROTECTION_ON_WRONG_SIDE"
    ORDER_QUANTITY_MALFORMED = "ORDER_QUANTITY_MALFORMED"
    ORDER_QUANTITY_OFF_STEP = "ORDER_QUANTITY_OFF_STEP"
    ORDER_QUANTITY_OUT_OF_RANGE = "ORDER_QUANTITY_OUT_OF_RANGE"
    ORDER_RATE_MISSING = "ORDER_RATE_MISSING"
    ORDER_REJECTED_BY_PROVIDER = "ORDER_REJECTED_BY_PROVIDER"
    ORDER_STOPPED_OUT = "ORDER_STOPPED_OUT"
    ORDER_UNKNOWN = "ORDER_UNKNOWN"
    ORDER_WITHOUT_EVENTS = "ORDER_WITHOUT_EVENTS"
    PAYMENT_APPROVAL_REFUSED = "PAYMENT_APPROVAL_REFUSED"
    PAYMENT_CLAIM_EXCEEDED = "PAYMENT_CLAIM_EXCEEDED"
    PAYMENT_CLAIM_UNKNOWN = "PAYMENT_CLAIM_UNKNOWN"
    PAYMENT_DEBT_OPEN = "PAYMENT_DEBT_OPEN"
    PAYMENT_FRAUD_SUSPECTED = "PAYMENT_FRAUD_SUSPECTED"
    PAYMENT_LIMIT_EXCEEDED = "PAYMENT_LIMIT_EXCEEDED"
    PAYMENT_PROVIDER_UNKNOWN = "PAYMENT_PROVIDER_UNKNOWN"
    PAYMENT_REFUND_REFUSED = "PAYMENT_REFUND_REFUSED"
    PAYMENT_STATE_REFUSED = "PAYMENT_STATE_REFUSED"
    PAYMENT_UNKNOWN = "PAYMENT_UNKNOWN"
    POSITION_UNKNOWN = "POSITION_UNKNOWN"
    POSITION_WITHOUT_TRADES = "POSITION_WITHOUT_TRADES"
    QUOTE_COUNT_TOO_SMALL = "QUOTE_COUNT_TOO_SMALL"
    QUOTE_FILE_EMPTY = "QUOTE_FILE_EMPTY"
    QUOTE_FILE_UNREADABLE = "QUOTE_FILE_UNREADABLE"
    QUOTE_LINE_MALFORMED = "QUOTE_LINE_MALFORMED"
    RECORD_APPEND_ONLY = "RECORD_APPEND_ONLY"
    SETTLEMENT_NOT_RECONCILED = "SETTLEMENT_NOT_RECONCILED"
    STATEMENT_UNREADABLE = "STATEMENT_UNREADABLE"
    USER_NOT_ACTIVE = "USER_NOT_ACTIVE"
    USER_ROLE_MISSING = "USER_ROLE_MISSING"
    USER_UNKNOWN = "USER_UNKNOWN"
    WEBHOOK_BODY_MALFORMED = "WEBHOOK_BODY_MALFORMED"
    WEBHOOK_ENDPOINT_MALFORMED = "WEBHOOK_ENDPOINT_MALFORMED"
    WEBHOOK_HEADER_MALFORMED = "WEBHOOK_HEADER_MALFORMED"
    WEBHOOK_KEY_MALFORMED = "WEBHOOK_KEY_MALFORMED"
    WEBHOOK_SIGNATURE_REFUSED = "WEBHOOK_SIGNATURE_REFUSED"
    WEBHOOK_TIMESTAMP_REFUSED = "WEBHOOK_TIMESTAMP_REFUSED"


class TradewrightError(Exception):
    """A failure in words for its reader.

    `what` is a short fact without a full stop, naming the kind of object, its quoted name and the
    real values; `why` gives the facts behind it in sentences; `hint` begins with a verb.
    """

    def __init__(
        self,
        code: ErrorCode,
        what: str,
        *,
        why: str = "",
        hint: str = "",
        facts: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(what)
        self.code = code
        self.what = what
        self.why = why
        self.hint = hint
        self.facts = dict(facts or {})

    def __str__(self) -> str:
        return self.render()

    def __reduce__(self) -> tuple[object, ...]:
        words = {"why": self.why, "hint": self.hint}
        return (_rebuild, (type(self), self.code, self.what, words, self.facts))

    def render(self) -> str:
        """Return the error as lines of text: the fact with its code, why, and what to do."""
        lines = [f"{self.what} [{self.code}]"]
        if self.why:
            lines.append(f"  why: {self.why}")
        if self.hint:
            lines.append(f"  hint: {self.hint}")
        return "\n".join(lines)

    def as_dict(self) -> dict[str, object]:
        """Return the error as JSON-ready values; facts are given as text."""
        return {
            "code": str(self.code),
            "what": self.what,
            "why": self.why,
            "hint": self.hint,
            "facts": {key: str(value) for key, value in self.facts.items()},
        }


class InputError(TradewrightError):
    """What was given cannot be accepted; nothing was changed."""


class StateError(TradewrightError):
    """What was asked for does not fit the state it met; nothing was changed."""


class MoneyError(TradewrightError):
    """A movement of money was refused by the ledger; nothing was moved."""


class DatabaseError(TradewrightError):
    """The server refused, failed or could not be reached."""


class RetryableError(DatabaseError):
    """The same transaction may succeed if it is run again as a whole."""


class MigrationError(TradewrightError):
    """A migration cannot be found, read, applied or rolled back."""


class InternalError(TradewrightError):
    """A law of the house is broken: a defect to be reported, not a use to be corrected."""


def _rebuild(
    kind: type[TradewrightError],
    code: ErrorCode,
    what: str,
    words: Mapping[str, str],
    facts: Mapping[str, object],
) -> TradewrightError:
    return kind(code, what, why=words["why"], hint=words["hint"], facts=facts)
