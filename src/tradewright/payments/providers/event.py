"""What a provider tells, in the house's words: the same whatever the provider's format is."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import NAMESPACE_OID, uuid5

from tradewright.core.errors import ErrorCode, InputError
from tradewright.core.ids import require_ids
from tradewright.payments.claims import ClaimKind, ClaimStatus
from tradewright.payments.model import PaymentKind, PaymentStatus, Provider

TEXT_LENGTH_MAX = 200
COUNT_MAX = 2**31 - 1

_UNKEPT = re.compile("[\x00\ud800-\udfff]")
"""What no text of the database holds: a zero, and halves of characters beyond 16 bits."""

_AMOUNT = re.compile(r"[0-9]{1,12}(\.[0-9]{1,8})?", re.ASCII)
_UNITS = re.compile(r"[0-9]{1,20}", re.ASCII)
"""As many digits as the ledger's largest amount has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimNews:
    """What a provider tells of a refund or dispute; `claim_id` is ours, when it knows it."""

    kind: ClaimKind
    reference: str
    status: ClaimStatus
    claim_id: str | None = None

    def id_of(self, provider: Provider) -> str:
        """Return the id under which the claim is kept."""
        name = f"{provider}/{self.kind}/{self.reference}"
        return self.claim_id or str(uuid5(NAMESPACE_OID, name))


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderEvent:
    """One piece of news about a payment.

    `amount` is the payment's, or the claim's where `claim` is given. `address` is where coins
    arrived, for a deposit that nobody had announced.
    """

    event_type: str
    kind: PaymentKind
    reference: str
    status: PaymentStatus
    currency: str
    amount: Decimal
    payment_id: str | None = None
    address: str | None = None
    claim: ClaimNews | None = None
    reason: str = ""


def read_object(body: bytes) -> Mapping[str, Any]:
    """Return the JSON object of a message.

    Raises:
        InputError: WEBHOOK_BODY_MALFORMED.

    """
    try:
        found = json.loads(body.decode("utf-8"), parse_float=Decimal)
    except (UnicodeDecodeError, ValueError, RecursionError) as error:
        raise malformed(str(error)) from None
    if not isinstance(found, dict):
        raise malformed("It is no JSON object.")
    return found


def text_of(fields: Mapping[str, Any], name: str) -> str:
    """Return a field that must be text: 1 to 200 characters, all of which can be kept.

    Raises:
        InputError: WEBHOOK_BODY_MALFORMED.

    """
    value = fields.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= TEXT_LENGTH_MAX or _UNKEPT.search(value):
        raise _odd(name, value)
    return value


def reason_of(fields: Mapping[str, Any], name: str) -> str:
    """Return a field that explains in words, or an empty text.

    What it cannot hold becomes U+FFFD: no odd letter in an explanation keeps the news out.
    """
    value = fields.get(name)
    return _UNKEPT.sub("\ufffd", value)[:TEXT_LENGTH_MAX] if isinstance(value, str) else ""


def id_of(fields: Mapping[str, Any], name: str) -> str | None:
    """Return a field that is one of the house's ids, or missing."""
    if fields.get(name) is None:
        return None
    given = text_of(fields, name)
    require_ids(given)
    return given


def amount_of(fields: Mapping[str, Any], name: str) -> Decimal:
    """Return a field that must be an amount written as text, such as `100.50`.

    Raises:
        InputError: WEBHOOK_BODY_MALFORMED.

    """
    written = text_of(fields, name)
    if not _AMOUNT.fullmatch(written):
        raise _odd(name, written)
    return Decimal(written)


def units_of(fields: Mapping[str, Any], name: str) -> Decimal:
    """Return a field that must be a whole number of units written as text, such as `150000000`.

    Raises:
        InputError: WEBHOOK_BODY_MALFORMED.

    """
    written = text_of(fields, name)
    if not _UNITS.fullmatch(written):
        raise _odd(name, written)
    return Decimal(written)


def count_of(fields: Mapping[str, Any], name: str) -> int:
    """Return a field that must be a whole number from zero.

    Raises:
        InputError: WEBHOOK_BODY_MALFORMED.

    """
    value = fields.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= COUNT_MAX:
        raise _odd(name, value)
    return value


def malformed(why: str) -> InputError:
    """Return the error for a message that was signed and cannot be read."""
    return InputError(
        ErrorCode.WEBHOOK_BODY_MALFORMED,
        "the body of a webhook cannot be read",
        why=why,
        hint="Compare it with the provider's description of its messages.",
    )


def _odd(name: str, value: object) -> InputError:
    return malformed(f'Its field "{name}" is {ascii(value)[:80]}.')
