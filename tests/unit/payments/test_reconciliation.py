"""Statements are read whole or refused, and every movement falls into one bucket."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

from tradewright.core.errors import ErrorCode, InputError
from tradewright.payments.providers.booking import Booking, as_camt053, as_csv
from tradewright.payments.reconciliation.match import match
from tradewright.payments.reconciliation.model import Bucket, Recorded, StatementLine
from tradewright.payments.reconciliation.statements import CAMT053, CSV, read_statement

DAY = date(2026, 1, 13)
LINE = StatementLine(
    kind="deposit",
    reference="ch_1",
    currency="USD",
    amount=Decimal("100.00"),
    fee=Decimal("1.65"),
    booked_on=DAY,
)
OURS = Recorded(
    kind="deposit",
    reference="ch_1",
    currency="USD",
    amount=Decimal(100),
    status="succeeded",
    is_done=True,
    is_booked=True,
    ledger_amount=Decimal(100),
    age=timedelta(hours=1),
)
BOOKINGS = [
    Booking(
        kind=kind,
        reference=f"{kind} <&> 1",
        currency="USD",
        amount=Decimal("100.10"),
        fee=Decimal("1.65"),
        booked_on=DAY,
    )
    for kind in ("deposit", "withdrawal", "refund", "dispute")
]
HEAD = "kind,reference,currency,amount,fee,booked_on\n"


@pytest.mark.parametrize(
    ("recorded", "lines", "bucket"),
    [
        ([OURS], [LINE], Bucket.MATCHED),
        ([], [LINE], Bucket.EXTERNAL_ONLY),
        ([], [LINE, LINE], Bucket.EXTERNAL_ONLY),
        ([OURS], [LINE, LINE], Bucket.DUPLICATE),
        ([OURS], [replace(LINE, amount=Decimal("100.01"))], Bucket.AMOUNT_MISMATCH),
        ([OURS], [replace(LINE, currency="EUR")], Bucket.AMOUNT_MISMATCH),
        ([replace(OURS, is_done=False, status="failed")], [LINE], Bucket.STATUS_MISMATCH),
        ([replace(OURS, ledger_amount=Decimal(0))], [LINE], Bucket.LEDGER_MISMATCH),
        ([replace(OURS, ledger_amount=Decimal(0))], [], Bucket.LEDGER_MISMATCH),
        ([OURS], [], Bucket.TIMING),
        ([replace(OURS, age=timedelta(days=2))], [], Bucket.TIMING),
        ([replace(OURS, age=timedelta(days=2, seconds=1))], [], Bucket.INTERNAL_ONLY),
    ],
)
def test_a_movement_falls_into_its_bucket(
    recorded: list[Recorded], lines: list[StatementLine], bucket: Bucket
) -> None:
    assert [each.bucket for each in match(recorded, lines)] == [bucket]


def test_what_has_moved_no_money_is_no_difference() -> None:
    pending = replace(OURS, is_done=False, is_booked=False, ledger_amount=Decimal(0))
    unconfirmed = replace(OURS, reference="btc:1:0", is_done=False)
    assert match([pending, unconfirmed], []) == []


def test_kind_and_reference_together_name_a_movement() -> None:
    payout = replace(LINE, kind="withdrawal")
    assert [each.bucket for each in match([OURS], [LINE, payout])] == [
        Bucket.MATCHED,
        Bucket.EXTERNAL_ONLY,
    ]


def test_both_formats_say_the_same() -> None:
    form, lines = read_statement(as_csv(BOOKINGS))
    assert (form, len(lines)) == (CSV, 4)
    assert read_statement(as_camt053(BOOKINGS, "s-1")) == (CAMT053, lines)
    assert lines[0].reference == "deposit <&> 1"


def test_entries_of_a_bank_that_are_not_booked_or_name_no_kind_are_read_so() -> None:
    statement = as_camt053(BOOKINGS[:2], "s-1").decode()
    pending = statement.replace("<Cd>BOOK</Cd>", "<Cd>PDNG</Cd>", 1)
    assert [line.kind for line in read_statement(pending.encode())[1]] == ["withdrawal"]
    bare = statement.replace("<AddtlTxInf>deposit</AddtlTxInf>", "")
    assert [line.kind for line in read_statement(bare.encode())[1]] == ["deposit", "withdrawal"]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe",
        b"a,b\n",
        HEAD.encode() + b"deposit,r,USD,1.00\n",
        HEAD.encode() + b"gift,r,USD,1.00,0,2026-01-13\n",
        HEAD.encode() + b"deposit,,USD,1.00,0,2026-01-13\n",
        HEAD.encode() + b"deposit,r,USD,1.001,0,2026-01-13\n",
        HEAD.encode() + b"deposit,r,USD,-1.00,0,2026-01-13\n",
        HEAD.encode() + b"deposit,r,USD,NaN,0,2026-01-13\n",
        HEAD.encode() + b"deposit,r,XXX,1.00,0,2026-01-13\n",
        HEAD.encode() + b"deposit,r,USD,1.00,-1,2026-01-13\n",
        HEAD.encode() + b"deposit,r,USD,1.00,0.001,2026-01-13\n",
        HEAD.encode() + b"deposit,r,USD,1.00,NaN,2026-01-13\n",
        HEAD.encode() + b"deposit,r,USD,1.00,0,13.01.2026\n",
        HEAD.encode() + b"deposit,r,USD,1.00,1e30,2026-01-13\n",
        HEAD.encode() + b"deposit,r,USD,1.00,1000000000000,2026-01-13\n",
        HEAD.encode() + b"deposit,r,USD,1_0.00,0,2026-01-13\n",
        HEAD.encode() + b"deposit,r\x00,USD,1.00,0,2026-01-13\n",
        HEAD.encode() + b'deposit,"r,USD\n',
        b"<Document><Ntry></Document>",
        b"<Document><Ntry><Amt Ccy='USD'>1</Amt></Ntry></Document>",
        b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>',
        b'<!DOCTYPE a SYSTEM "ftp://example.org/secret"><a/>',
        b'<?xml version="1.0" encoding="UTF-42"?><a/>',
        b'<?xml version="1.0" encoding="UTF-7"?><a/>',
    ],
    ids=range(25),
)
def test_a_statement_that_cannot_be_read_is_refused_whole(content: bytes) -> None:
    with pytest.raises(InputError) as caught:
        read_statement(content)
    assert caught.value.code == ErrorCode.STATEMENT_UNREADABLE


def changed(*changes: tuple[str, str]) -> bytes:
    """Return a bank's statement of one deposit, in which texts are put for others."""
    statement = as_camt053(BOOKINGS[:1], "s-1").decode()
    for old, new in changes:
        assert old in statement
        statement = statement.replace(old, new)
    return statement.encode()


CHARGE = '<Chrgs><Rcrd><Amt Ccy="USD">1.65</Amt></Rcrd></Chrgs>'
KIND = "<AddtlTxInf>deposit</AddtlTxInf>"


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ([("</TxDtls>", "</TxDtls><TxDtls/>")], "several transactions"),
        ([("</Rcrd>", "</Rcrd><Rcrd/>")], "several charges"),
        ([('<Rcrd><Amt Ccy="USD">1.65', '<Rcrd><Amt Ccy="JPY">55')], "fee in another currency"),
        ([("</Ntry>", f"{CHARGE}</Ntry>")], "several charges"),
        ([("</Rcrd>", "<CdtDbtInd>CRDT</CdtDbtInd></Rcrd>")], "one that was given back"),
        ([('<Amt Ccy="USD">1.65</Amt>', "")], "a charge without an amount"),
        ([("<Sts><Cd>BOOK</Cd></Sts>", "<Sts><Prtry>ours</Prtry></Sts>")], "a status of the bank"),
        ([("<CdtDbtInd>CRDT</CdtDbtInd>", "")], "no clear direction"),
        ([("CRDT", "BOTH")], "no clear direction"),
        ([("CRDT", "DBIT")], "no clear direction"),
        ([(KIND, "<AddtlTxInf>refund</AddtlTxInf>")], "no clear direction"),
    ],
    ids=[
        *(
            "transactions",
            "charges",
            "yen",
            "charged twice",
            "given back",
            "no amount",
            "own status",
        ),
        *("silent", "both", "deposit debited", "refund credited"),
    ],
)
def test_an_entry_of_a_bank_that_leaves_its_sense_open_is_refused(
    changes: list[tuple[str, str]], told: str
) -> None:
    with pytest.raises(InputError) as caught:
        read_statement(changed(*changes))
    assert caught.value.code == ErrorCode.STATEMENT_UNREADABLE
    assert told in caught.value.what


@pytest.mark.parametrize(
    "changes",
    [
        [("<Rcrd>", ""), ("</Rcrd>", "")],
        [("<Rcrd><Amt", "<TtlChrgsAndTaxAmt"), ("1.65</Amt></Rcrd>", "1.65</TtlChrgsAndTaxAmt>")],
        [("<Rcrd>", '<TtlChrgsAndTaxAmt Ccy="USD">2</TtlChrgsAndTaxAmt><Rcrd>')],
        [(CHARGE, ""), ("</Ntry>", f"{CHARGE}</Ntry>")],
        [("</Rcrd>", "<CdtDbtInd>DBIT</CdtDbtInd></Rcrd>")],
    ],
    ids=["version 2", "total", "total and record", "of the entry", "debited"],
)
def test_what_a_bank_charges_is_read_wherever_it_stands(changes: list[tuple[str, str]]) -> None:
    """A fee that is passed over makes the settled net differ from what the bank pays."""
    [line] = read_statement(changed(*changes))[1]
    assert line.fee == Decimal("1.65")


@pytest.mark.parametrize("status", ["PDNG", "INFO"])
def test_an_entry_that_is_not_booked_is_passed_over_in_either_form(status: str) -> None:
    for form in (f"<Sts>{status}</Sts>", f"<Sts><Cd>{status}</Cd></Sts>"):
        assert read_statement(changed(("<Sts><Cd>BOOK</Cd></Sts>", form)))[1] == []
    assert len(read_statement(changed(("<Sts><Cd>BOOK</Cd></Sts>", "<Sts>BOOK</Sts>")))[1]) == 1


@pytest.mark.parametrize(
    ("at", "day"),
    [
        ("2026-01-13T23:30:00-05:00", date(2026, 1, 14)),
        ("2026-01-13T00:30:00+01:00", date(2026, 1, 12)),
        ("2026-01-13T23:30:00Z", date(2026, 1, 13)),
        ("2026-01-13T23:30:00", date(2026, 1, 13)),
    ],
)
def test_an_instant_of_a_bank_is_booked_on_its_day_in_utc(at: str, day: date) -> None:
    [line] = read_statement(changed(("<Dt>2026-01-13</Dt>", f"<DtTm>{at}</DtTm>")))[1]
    assert line.booked_on == day


def test_a_byte_order_mark_before_xml_is_passed_over() -> None:
    form, lines = read_statement(b"\xef\xbb\xbf" + changed())
    assert (form, len(lines)) == (CAMT053, 1)


def test_a_return_is_a_credit_of_the_bank() -> None:
    returned = [replace(BOOKINGS[0], kind="return")]
    assert b"<CdtDbtInd>CRDT" in as_camt053(returned, "s-1")
    assert [line.kind for line in read_statement(as_camt053(returned, "s-1"))[1]] == ["return"]


def test_a_statement_without_lines_is_empty() -> None:
    assert read_statement(HEAD.encode()) == (CSV, [])
    assert read_statement(b"\xef\xbb\xbf" + HEAD.encode())[1] == []
