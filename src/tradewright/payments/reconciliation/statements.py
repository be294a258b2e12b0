"""Read a provider's statement: CSV with the house's columns, or camt.053 of a bank.

XML is read with no document type, so that no entity can be declared, expanded or fetched. A line
that cannot be read refuses the whole file: half a statement would look like a difference.
"""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal, InvalidOperation
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from tradewright.core.errors import InputError
from tradewright.core.money import MINOR_UNITS, parse_amount
from tradewright.core.statements import read_csv, require_size, unreadable
from tradewright.payments.providers.booking import COLUMNS
from tradewright.payments.reconciliation.model import StatementLine

KINDS = ("deposit", "withdrawal", "return", "refund", "dispute")
CSV, CAMT053 = "csv", "camt.053"


def read_statement(content: bytes) -> tuple[str, list[StatementLine]]:
    """Return the format of a statement and its lines.

    Raises:
        InputError: STATEMENT_UNREADABLE, naming the line.

    """
    require_size(content)
    if content.lstrip().startswith(b"<"):
        return CAMT053, list(_read_camt053(content))
    return CSV, [_line(number, fields) for number, fields in read_csv(content, COLUMNS)]


def _read_camt053(content: bytes) -> Iterator[StatementLine]:
    entries = [each for each in _parse(content).iter() if _name(each) == "Ntry"]
    for number, entry in enumerate(entries, start=1):
        if _text(entry, "Sts", "Cd") not in ("BOOK", ""):
            continue
        amount = _find(entry, "Amt")
        is_credit = _text(entry, "CdtDbtInd") == "CRDT"
        details = _text(entry, "NtryDtls", "TxDtls", "AddtlTxInf")
        yield _line(
            number,
            {
                "kind": details if details in KINDS else "deposit" if is_credit else "withdrawal",
                "reference": _text(entry, "NtryDtls", "TxDtls", "Refs", "EndToEndId"),
                "currency": "" if amount is None else amount.get("Ccy", ""),
                "amount": _text(entry, "Amt"),
                "fee": _text(entry, "NtryDtls", "TxDtls", "Chrgs", "Rcrd", "Amt") or "0",
                "booked_on": _text(entry, "BookgDt", "Dt") or _text(entry, "BookgDt", "DtTm")[:10],
            },
        )


def _line(number: int, fields: dict[str, str]) -> StatementLine:
    try:
        currency, fee = fields["currency"], Decimal(fields["fee"])
        amount = parse_amount(fields["amount"], currency).amount
        booked_on = date.fromisoformat(fields["booked_on"])
    except (ValueError, InvalidOperation, InputError) as error:
        raise unreadable(f"line {number} cannot be read", str(error).split("\n")[0]) from None
    is_fee = fee.is_finite() and fee >= 0 and fee == round(fee, MINOR_UNITS[currency])
    if fields["kind"] not in KINDS or not fields["reference"] or not is_fee:
        raise unreadable(f"line {number} cannot be read", f"It says {fields}.")
    return StatementLine(
        kind=fields["kind"],
        reference=fields["reference"],
        currency=currency,
        amount=amount,
        fee=fee,
        booked_on=booked_on,
    )


def _parse(content: bytes) -> Element:
    builder = TreeBuilder()
    parser = expat.ParserCreate(namespace_separator="}")
    parser.StartDoctypeDeclHandler = _refuse_doctype
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.data
    try:
        parser.Parse(content, True)
    except expat.ExpatError as error:
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


def _text(element: Element, *path: str) -> str:
    found = _find(element, *path)
    return "" if found is None else (found.text or "").strip()
