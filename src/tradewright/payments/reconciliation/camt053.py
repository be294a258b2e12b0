"""camt.053 (ISO 20022, bank to customer statement) as the fields of lines; versions 2 to 8.

Each booked entry is a line, and each transaction of an entry that has several. What a bank leaves
open is refused, and so is a statement whose entries do not lead from its opening balance to its
closing one: an entry is lacking then, or was changed.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from xml.etree.ElementTree import Element

from tradewright.core.money import plain
from tradewright.core.statements import unreadable
from tradewright.payments.reconciliation import xml

KINDS = ("deposit", "withdrawal", "return", "refund", "dispute")
CREDIT, DEBIT = "CRDT", "DBIT"
KINDS_BY_DIRECTION = {
    (CREDIT, False): ("deposit", "return"),
    (DEBIT, False): ("withdrawal", "refund", "dispute"),
    (CREDIT, True): ("return",),
    (DEBIT, True): ("dispute", "refund"),
}
"""What a credit or debit, or a reversal that is one, may be; the first unless the bank says."""

TRANSACTION = ("NtryDtls", "TxDtls")
AMOUNTS = (("Amt",), ("AmtDtls", "TxAmt", "Amt"))
"""Where a transaction says what was booked for it: version 8, and before."""

OPENING, CLOSING = ("OPBD", "PRCD"), ("CLBD",)
_NUMBER = re.compile(r"[0-9]{1,15}(\.[0-9]{1,10})?", re.ASCII)
_FLAGS = {"": False, "false": False, "0": False, "true": True, "1": True}


@dataclass(frozen=True, slots=True)
class _Booked:
    """An amount with its currency and direction, as a bank writes them."""

    amount: Decimal
    currency: str
    direction: str

    @property
    def signed(self) -> Decimal:
        """Return what it does to the account."""
        return self.amount if self.direction == CREDIT else -self.amount


def read_camt053(content: bytes) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield the number of each line and its fields, as texts.

    Raises:
        InputError: STATEMENT_UNREADABLE.

    """
    root = xml.parse(content)
    statements = xml.find_all(root, "BkToCstmrStmt", "Stmt")
    if not statements:
        raise unreadable("it is no camt.053", "It holds no BkToCstmrStmt/Stmt.")
    number = 0
    for statement in statements:
        entries = _booked_entries(statement)
        _require_balances(statement, entries)
        for entry in entries:
            for transaction in xml.find_all(entry, *TRANSACTION) or [entry]:
                number += 1
                yield number, _fields_of(number, entry, transaction)


def _booked_entries(statement: Element) -> list[Element]:
    """Return the entries that are booked: version 2 writes that as text, version 8 as a code."""
    booked = []
    for number, entry in enumerate(xml.find_all(statement, "Ntry"), start=1):
        status = xml.text(entry, "Sts", "Cd") or xml.text(entry, "Sts")
        if not status and xml.find(entry, "Sts") is not None:
            why = "Only codes are known."
            raise unreadable(f"entry {number} has a status of the bank's own", why)
        if status in ("BOOK", ""):
            booked.append(entry)
    return booked


def _require_balances(statement: Element, entries: list[Element]) -> None:
    """Refuse entries that do not lead from the opening balance, if one is told, to the closing."""
    opening, closing = _balance(statement, OPENING), _balance(statement, CLOSING)
    if opening is None and closing is None:
        return
    if opening is None or closing is None or opening.currency != closing.currency:
        raise unreadable(
            "it has one balance without the other",
            "The entries must lead from an opening balance to a closing one in the same currency.",
        )
    moved = [_booked("entry", entry, entry) for entry in entries]
    if any(each.currency != opening.currency for each in moved):
        why = f"The account is in {opening.currency}."
        raise unreadable("it has an entry in another currency than its balances", why)
    ends = opening.signed + sum((each.signed for each in moved), Decimal(0))
    if ends != closing.signed:
        raise unreadable(
            f"its entries lead to {plain(ends)} {opening.currency}, its closing balance is "
            f"{plain(closing.signed)} {opening.currency}",
            "An entry is lacking, or was changed.",
        )


def _balance(statement: Element, codes: tuple[str, ...]) -> _Booked | None:
    found = [
        each
        for each in xml.find_all(statement, "Bal")
        if xml.text(each, "Tp", "CdOrPrtry", "Cd") in codes
    ]
    if len(found) > 1:
        raise unreadable(f"it has several balances {' or '.join(codes)}", "Which holds is open.")
    return _booked("balance", found[0], found[0]) if found else None


def _booked(what: str, element: Element, of: Element) -> _Booked:
    """Return an amount and its direction, which a transaction may leave to its entry."""
    direction = xml.text(element, "CdtDbtInd") or xml.text(of, "CdtDbtInd")
    if direction not in (CREDIT, DEBIT):
        raise unreadable(f"{what} has no clear direction", f'CdtDbtInd is "{direction}".')
    amount = next((at for path in AMOUNTS if (at := xml.find(element, *path)) is not None), None)
    number = None if amount is None else _number(amount)
    if amount is None or number is None:
        raise unreadable(f"{what} has no amount that can be read", "It is a number of digits.")
    return _Booked(number, amount.get("Ccy", ""), direction)


def _fields_of(number: int, entry: Element, transaction: Element) -> dict[str, str]:
    """Return an entry, or one of its transactions, as the fields of a line."""
    line = f"line {number}"
    whole, several = _booked(line, entry, entry), len(xml.find_all(entry, *TRANSACTION)) > 1
    part = whole
    if several:
        part = _booked(line, transaction, entry)
        _require_parts(number, entry, whole)
    fee, is_included = _fee_of(line, entry, transaction, several=several)
    if fee.currency != part.currency and fee.amount:
        why = f"It is in {part.currency}."
        raise unreadable(f"{line} has a fee in another currency", why)
    before = part.signed + fee.amount if is_included else part.signed
    if before * part.signed <= 0:
        raise unreadable(f"{line} comes to nothing", "Its charge is as much as itself, or more.")
    return {
        "kind": _kind_of(line, entry, transaction, part.direction),
        "reference": xml.text(transaction, "Refs", "EndToEndId")
        or xml.text(entry, *TRANSACTION, "Refs", "EndToEndId"),
        "currency": part.currency,
        "amount": f"{abs(before):f}",
        "fee": f"{fee.amount:f}",
        "booked_on": xml.text(entry, "BookgDt", "Dt")
        or _utc_day(xml.text(entry, "BookgDt", "DtTm")),
    }


def _require_parts(number: int, entry: Element, whole: _Booked) -> None:
    """Refuse transactions that do not come to their entry, or are in another currency."""
    line = f"line {number}"
    parts = [_booked(line, each, entry) for each in xml.find_all(entry, *TRANSACTION)]
    if any(each.currency != whole.currency for each in parts):
        why = f"It was booked in {whole.currency}."
        raise unreadable(f"{line} has a transaction in another currency", why)
    total = sum((each.signed for each in parts), Decimal(0))
    if total != whole.signed:
        raise unreadable(
            f"{line} is of an entry of {plain(whole.signed)} {whole.currency}, whose transactions "
            f"come to {plain(total)} {whole.currency}",
            "Which of them has which amount is open.",
        )


def _fee_of(
    line: str, entry: Element, transaction: Element, *, several: bool
) -> tuple[_Booked, bool]:
    """Return what it has cost, and whether that is in the booked amount already.

    Version 2 writes a charge at once, version 8 as a record, or as a total alone.
    """
    of_entry = xml.find_all(entry, "Chrgs")
    if several and of_entry:
        raise unreadable(f"{line} is of an entry with charges", "Whose they are is open.")
    told = of_entry + (xml.find_all(transaction, "Chrgs") if transaction is not entry else [])
    charges = [record for each in told for record in (xml.find_all(each, "Rcrd") or [each])]
    if len(charges) > 1:
        raise unreadable(f"{line} has several charges", "One is read as the fee.")
    if not charges:
        return _Booked(Decimal(0), "", DEBIT), False
    names = ("Amt", "TtlChrgsAndTaxAmt")
    at = next((found for name in names if (found := xml.find(charges[0], name)) is not None), None)
    amount = None if at is None else _number(at)
    if at is None or amount is None or xml.text(charges[0], "CdtDbtInd") == CREDIT:
        raise unreadable(
            f"{line} has a charge without an amount, or one that was given back",
            "A fee is an amount that the house pays.",
        )
    is_included = _flag(line, charges[0], "ChrgInclInd")
    return _Booked(amount, at.get("Ccy", ""), DEBIT), is_included


def _kind_of(line: str, entry: Element, transaction: Element, direction: str) -> str:
    is_reversal = _flag(line, entry, "RvslInd")
    kinds = KINDS_BY_DIRECTION[direction, is_reversal]
    told = xml.text(transaction, "AddtlTxInf")
    if told in KINDS and told not in kinds:
        raise unreadable(
            f"{line} has no clear direction",
            f'CdtDbtInd is "{direction}", {"reversed, " if is_reversal else ""}the kind "{told}".',
        )
    return told if told in KINDS else kinds[0]


def _flag(line: str, element: Element, name: str) -> bool:
    told = xml.text(element, name)
    if told not in _FLAGS:
        raise unreadable(f'{line} has {name} "{told[:40]}"', "It is true or false.")
    return _FLAGS[told]


def _number(element: Element) -> Decimal | None:
    told = (element.text or "").strip()
    return Decimal(told) if _NUMBER.fullmatch(told) else None


def _utc_day(written: str) -> str:
    """Return the UTC day of an instant; one without an offset is in UTC."""
    try:
        at = datetime.fromisoformat(written)
        return (at.astimezone(UTC) if at.tzinfo else at).date().isoformat()
    except (ValueError, OverflowError):
        return written
