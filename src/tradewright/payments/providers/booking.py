"""What a simulated provider has booked, and its statements: CSV, and camt.053 as banks write it.

A statement says what the provider did, not what the house believes: reconciliation compares both.
"""

import csv
import io
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from xml.sax.saxutils import escape

COLUMNS = ("kind", "reference", "currency", "amount", "fee", "booked_on")
"""The columns of a statement in CSV."""

NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"


@dataclass(frozen=True, slots=True, kw_only=True)
class Booking:
    """One movement that a provider has made, and what it charges the house for it."""

    kind: str
    reference: str
    currency: str
    amount: Decimal
    fee: Decimal
    booked_on: date


def as_csv(bookings: list[Booking]) -> bytes:
    """Return bookings as a statement in CSV."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for each in bookings:
        money = (f"{each.amount:f}", f"{each.fee:f}")
        writer.writerow((each.kind, each.reference, each.currency, *money, each.booked_on))
    return out.getvalue().encode()


def as_camt053(bookings: list[Booking], statement_id: str) -> bytes:
    """Return bookings as a statement in camt.053 (ISO 20022, bank to customer statement)."""
    entries = "".join(map(_entry, bookings))
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        f'<Document xmlns="{NAMESPACE}"><BkToCstmrStmt><Stmt><Id>{escape(statement_id)}</Id>'
        f"{entries}</Stmt></BkToCstmrStmt></Document>"
    ).encode()


def _entry(booking: Booking) -> str:
    direction = "CRDT" if booking.kind in ("deposit", "return") else "DBIT"
    currency = escape(booking.currency)
    return (
        f'<Ntry><Amt Ccy="{currency}">{booking.amount:f}</Amt>'
        f"<CdtDbtInd>{direction}</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts>"
        f"<BookgDt><Dt>{booking.booked_on.isoformat()}</Dt></BookgDt>"
        f"<NtryDtls><TxDtls><Refs><EndToEndId>{escape(booking.reference)}</EndToEndId></Refs>"
        f'<Chrgs><Rcrd><Amt Ccy="{currency}">{booking.fee:f}</Amt></Rcrd></Chrgs>'
        f"<AddtlTxInf>{escape(booking.kind)}</AddtlTxInf></TxDtls></NtryDtls></Ntry>"
    )
