"""Read a provider's statement: CSV with the house's columns, or camt.053 of a bank (`camt053`).

A line that cannot be read refuses the whole file: half a statement would look like a difference.
"""

import re
from codecs import BOM_UTF8
from datetime import date
from decimal import Decimal

from tradewright.core.errors import InputError
from tradewright.core.money import parse_amount
from tradewright.core.statements import read_csv, require_size, unreadable
from tradewright.payments.providers.booking import COLUMNS
from tradewright.payments.reconciliation.camt053 import KINDS, read_camt053
from tradewright.payments.reconciliation.model import StatementLine

CSV, CAMT053 = "csv", "camt.053"
_NUMBER = re.compile(r"[0-9]{1,20}(\.[0-9]{1,20})?", re.ASCII)
_REFERENCE = re.compile("[^\x00]{1,200}")


def read_statement(content: bytes) -> tuple[str, list[StatementLine]]:
    """Return the format of a statement and its lines.

    Raises:
        InputError: STATEMENT_UNREADABLE, naming the line.

    """
    require_size(content)
    if content.removeprefix(BOM_UTF8).lstrip().startswith(b"<"):
        return CAMT053, [_line(number, fields) for number, fields in read_camt053(content)]
    return CSV, [_line(number, fields) for number, fields in read_csv(content, COLUMNS)]


def _line(number: int, fields: dict[str, str]) -> StatementLine:
    try:
        currency = fields["currency"]
        amount = parse_amount(_plain(fields["amount"]), currency).amount
        fee = _fee(_plain(fields["fee"]), currency)
        booked_on = date.fromisoformat(fields["booked_on"])
    except (ValueError, InputError) as error:
        raise unreadable(f"line {number} cannot be read", str(error).split("\n")[0]) from None
    if fields["kind"] not in KINDS or not _REFERENCE.fullmatch(fields["reference"]):
        raise unreadable(f"line {number} cannot be read", f"It says {fields}.")
    return StatementLine(
        kind=fields["kind"],
        reference=fields["reference"],
        currency=currency,
        amount=amount,
        fee=fee,
        booked_on=booked_on,
    )


def _fee(written: str, currency: str) -> Decimal:
    """Return a fee: an amount of money, or zero."""
    return parse_amount(written, currency).amount if Decimal(written) else Decimal(0)


def _plain(written: str) -> str:
    """Return a number that is written in digits, with a point at most."""
    if not _NUMBER.fullmatch(written):
        raise ValueError(f'"{written[:80]}" is no plain number')
    return written
