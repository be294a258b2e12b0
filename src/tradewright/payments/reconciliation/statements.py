"""Read a provider's statement: CSV with the house's columns, or camt.053 of a bank.

XML is read with no document type, so that no entity can be declared, expanded or fetched. A line
that cannot be read refuses the whole file: half a statement would look like a difference.
"""

import re
from codecs import BOM_UTF8
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from tradewright.core.errors import InputError
from tradewright.core.money import parse_amount
from tradewright.core.statements import read_csv, require_size, unreadable
from tradewright.payments.providers.booking import COLUMNS
from tradewright.payments.reconciliation.model import StatementLine

KINDS = ("deposit", "withdrawal", "return", "refund", "dispute")
KINDS_BY_DIRECTION = {
    "CRDT": ("deposit", "return"),
    "DBIT": ("withdrawal", "refund", "dispute"),
}
"""What a credit or debit may be; the first is meant when the bank does not say."""

TRANSACTION = ("NtryDtls", "TxDtls")
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
        return CAMT053, list(_read_camt053(content))
    return CSV, [_line(number, fields) for number, fields in read_csv(content, COLUMNS)]


def _read_camt053(content: bytes) -> Iterator[StatementLine]:
    entries = [each for each in _parse(content).iter() if _name(each) == "Ntry"]
    for number, entry in enumerate(entries, start=1):
        if _is_booked(number, entry):
            yield _line(number, _fields_of(number, entry))


def _is_booked(number: int, entry: Element) -> bool:
    """Return whether an entry is booked: version 2 writes that as text, version 8 as a code."""
    status = _text(entry, "Sts", "Cd") or _text(entry, "Sts")
    if not status and _find(entry, "Sts") is not None:
        raise unreadable(f"line {number} has a status of the bank's own", "Only codes are known.")
    return status in ("BOOK", "")


def _fields_of(number: int, entry: Element) -> dict[str, str]:
    """Return an entry of camt.053 as the fields of a line; what it leaves open is refused."""
    amount = _find(entry, "Amt")
    currency = "" if amount is None else amount.get("Ccy", "")
    if len(_all(entry, *TRANSACTION)) > 1:
        raise unreadable(
            f"line {number} has several transactions", "Which of them has which amount is open."
        )
    return {
        "kind": _kind_of(number, entry),
        "reference": _text(entry, *TRANSACTION, "Refs", "EndToEndId"),
        "currency": currency,
        "amount": _text(entry, "Amt"),
        "fee": _fee_of(number, entry, currency),
        "booked_on": _text(entry, "BookgDt", "Dt") or _utc_day(_text(entry, "BookgDt", "DtTm")),
    }


def _fee_of(number: int, entry: Element, currency: str) -> str:
    """Return what an entry says that it has cost: for itself, or for its transaction.

    Version 2 writes a charge at once, version 8 as a record, or as a total alone.
    """
    told = [*_all(entry, "Chrgs"), *_all(entry, *TRANSACTION, "Chrgs")]
    charges = [record for each in told for record in (_all(each, "Rcrd") or [each])]
    if len(charges) > 1:
        raise unreadable(f"line {number} has several charges", "One is read as the fee.")
    if not charges:
        return "0"
    names = ("Amt", "TtlChrgsAndTaxAmt")
    amount = next((found for name in names if (found := _find(charges[0], name)) is not None), None)
    if amount is None or _text(charges[0], "CdtDbtInd") == "CRDT":
        raise unreadable(
            f"line {number} has a charge without an amount, or one that was given back",
            "A fee is an amount that the house pays.",
        )
    if amount.get("Ccy") != currency:
        raise unreadable(f"line {number} has a fee in another currency", f"It is in {currency}.")
    return (amount.text or "").strip()


def _kind_of(number: int, entry: Element) -> str:
    direction = _text(entry, "CdtDbtInd")
    kinds = KINDS_BY_DIRECTION.get(direction)
    told = _text(entry, *TRANSACTION, "AddtlTxInf")
    if kinds is None or (told in KINDS and told not in kinds):
        raise unreadable(
            f"line {number} has no clear direction",
            f'CdtDbtInd is "{direction}", the kind "{told}".',
        )
    return told if told in KINDS else kinds[0]


def _utc_day(written: str) -> str:
    """Return the UTC day of an instant; one without an offset is in UTC."""
    try:
        at = datetime.fromisoformat(written)
        return (at.astimezone(UTC) if at.tzinfo else at).date().isoformat()
    except (ValueError, OverflowError):
        return written


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


def _parse(content: bytes) -> Element:
    builder = TreeBuilder()
    parser = expat.ParserCreate(namespace_separator="}")
    parser.StartDoctypeDeclHandler = _refuse_doctype
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.data
    try:
        parser.Parse(content, True)
    except (expat.ExpatError, LookupError, ValueError) as error:
        raise unreadable("it is no XML", str(error)) from None
    return builder.close()


def _refuse_doctype(*_: object) -> None:
    raise unreadable("it declares a document type", "Statements need none, and attacks do.")


def _name(element: Element) -> str:
    return element.tag.rpartition("}")[2]


def _find(element: Element, *path: str) -> Element | None:
    found: Element | None = element
    for step in path:
        if found is None:
            return None
        found = next((each for each in found if _name(each) == step), None)
    return found


def _all(element: Element, *path: str) -> list[Element]:
    found = [element]
    for step in path:
        found = [each for parent in found for each in parent if _name(each) == step]
    return found


def _text(element: Element, *path: str) -> str:
    found = _find(element, *path)
    return "" if found is None else (found.text or "").strip()
