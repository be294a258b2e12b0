"""What to do about a refusal of the server, by its code, where the server itself says nothing.

Functions of the schema raise with a hint of their own; `refusals` takes these for the rest.
"""

from collections.abc import Mapping
from types import MappingProxyType

from tradewright.core.errors import ErrorCode

HINTS: Mapping[ErrorCode, str] = MappingProxyType(
    {
        ErrorCode.DATABASE_SERIALIZATION_FAILED: "Run the transaction again.",
        ErrorCode.DATABASE_DEADLOCKED: "Run the transaction again.",
        ErrorCode.DATABASE_LOCK_TIMEOUT: "Run it again, or find the session that holds the lock.",
        ErrorCode.DATABASE_CONNECTION_LOST: "Connect again and look up what was committed.",
        ErrorCode.DATABASE_TIMEOUT: "Do less in one transaction, or raise the session's limits.",
        ErrorCode.DATABASE_READ_ONLY: "Connect to the primary server.",
        ErrorCode.DATABASE_PERMISSION_DENIED: "Grant the privilege, or connect as another role.",
        ErrorCode.ACCESS_KEY_MALFORMED: "Give a name of 1 to 64 characters, a scope, an end that "
        "is to come, and who and why.",
        ErrorCode.ACCESS_KEY_REVOKED: "Nothing is left to do: it is refused already.",
        ErrorCode.ACCESS_KEY_UNKNOWN: "List the keys with `tradewright keys list`.",
        ErrorCode.ACCOUNT_GROUP_MALFORMED: "Name it in 2 to 32 of a-z, 0-9, _ and -; "
        "let a group under `us` be in fifo.",
        ErrorCode.ACCOUNT_GROUP_UNKNOWN: "List the groups with `tradewright groups list`.",
        ErrorCode.ACCOUNT_TERMS_MALFORMED: "Give a leverage of 1 to 500, and a stop-out level "
        "above 0 and not above that of the margin call.",
        ErrorCode.ACCOUNT_UNKNOWN: "List the accounts with `tradewright accounts list`.",
        ErrorCode.ARCHIVE_HOLD_MALFORMED: "Give --from a month that is not after --to.",
        ErrorCode.ARCHIVE_TERMS_MALFORMED: "Keep 1 to 600 months online, 60 to 1200 in all and "
        "more than online, and a detached month for 0 to 365 days.",
        ErrorCode.AUDIT_MONTH_MISSING: "Make the months of the audit log with `tradewright "
        "partitions make`, and see that the job make_audit_partitions runs.",
        ErrorCode.BREAKER_MALFORMED: "Name it in 2 to 32 of a-z, 0-9, _ and -, each once; give a "
        "threshold and window to what is measured, a symbol to prices, a currency to volume and "
        "loss, at most 100 to a share, and none of them but the symbol to `manual`.",
        ErrorCode.COMMISSION_TERMS_MALFORMED: "Give --group, --symbol, or both; nothing below 0.",
        ErrorCode.DATABASE_CONSTRAINT_VIOLATED: "Look up what is there already, then ask again.",
        ErrorCode.DATABASE_VALUE_REFUSED: "Correct the value; nothing was changed.",
        ErrorCode.EXCHANGE_RATE_MALFORMED: "Give what one unit of the first currency is worth in "
        "the second.",
        ErrorCode.INSTRUMENT_TERMS_MALFORMED: "Give quantities that are multiples of the step, and "
        "leverage within what the class allows.",
        ErrorCode.INSTRUMENT_UNKNOWN: "List the instruments with `tradewright instruments list`.",
        ErrorCode.INPUT_CURRENCY_UNKNOWN: "Name currencies by their codes, such as EUR.",
        ErrorCode.MARGIN_TERMS_MALFORMED: "Give shares of 0 to 100 percent, and thresholds above "
        "0.",
        ErrorCode.PAYMENT_LIMIT_MALFORMED: "Give a level of 0 to 4, and amounts from 0 that rise: "
        "at once, in a day, in 30 days.",
        ErrorCode.PROVIDER_MALFORMED: "Name a provider in 2 to 32 of A-Z, 0-9 and -, and its "
        "CompIDs without blanks.",
        ErrorCode.RISK_LIMIT_MALFORMED: "Give --currency to a limit in money and to no other, and "
        "at most one of --account, --group and --symbol.",
        ErrorCode.ROUTING_OVERRIDE_EXISTS: "Lift it first with `tradewright routing lift`.",
        ErrorCode.ROUTING_TERMS_MALFORMED: "Give shares of 0 to 100 and measures that rise.",
        ErrorCode.SWAP_TERMS_MALFORMED: "Give finite rates, and 0 to 2 business days.",
        ErrorCode.SWAP_TERMS_SET: "Set new terms from a later day; those that are set stay.",
        ErrorCode.TRADING_HALT_EXISTS: "Read the halts with `tradewright risk halts`.",
        ErrorCode.USER_EXISTS: "Look it up with `tradewright users list`.",
        ErrorCode.USER_MALFORMED: "Give an e-mail address, and a level of 0 to 4.",
        ErrorCode.USER_UNKNOWN: "List the users with `tradewright users list`.",
        ErrorCode.DATABASE_RESOURCES_EXHAUSTED: "Free disk, memory or connections of the server.",
    },
)
