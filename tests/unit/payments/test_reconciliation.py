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


def test_what_came_and_went_before_a_decision_is_matched_without_the_ledger() -> None:
    gone = replace(OURS, status="reversed", is_booked=False, ledger_amount=Decimal(0))
    assert [each.bucket for each in match([gone], [LINE])] == [Bucket.MATCHED]
    booked = replace(gone, ledger_amount=Decimal(100))
    assert [each.bucket for each in match([booked], [LINE])] == [Bucket.LEDGER_MISMATCH]


def test_every_line_that_only_the_provider_knows_under_a_name_is_told() -> None:
    """Banks write `NOTPROVIDED` on all that has no name; only the first was told."""
    later = replace(LINE, amount=Decimal("5000.50"), booked_on=date(2026, 1, 14))
    [found] = match([], [LINE, later])
    assert found.details == {
        "their_amount": "100 USD, 5000.5 USD",
        "booked_on": "2026-01-13, 2026-01-14",
        "lines": "2",
    }


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
        ([("</TxDtls>", "</TxDtls><TxDtls/>")], "no amount that can be read"),
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


def balance(code: str, amount: str, direction: str = "CRDT", currency: str = "USD") -> str:
    return (
        f"<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp>"
        f'<Amt Ccy="{currency}">{amount}</Amt><CdtDbtInd>{direction}</CdtDbtInd></Bal>'
    )


def stated(*balances: str) -> bytes:
    """Return a bank's statement of four bookings with these balances."""
    return as_camt053(BOOKINGS, "s-1").replace(b"<Ntry>", "".join(balances).encode() + b"<Ntry>", 1)


def net() -> Decimal:
    """Return what the four bookings do to the account."""
    signs = {"deposit": 1, "return": 1}
    return sum((signs.get(each.kind, -1) * each.amount for each in BOOKINGS), start=Decimal(0))


@pytest.mark.parametrize("opens", ["1000.00", "0.00"])
def test_entries_that_lead_from_one_balance_to_the_other_are_read(opens: str) -> None:
    closes = Decimal(opens) + net()
    direction = "CRDT" if closes >= 0 else "DBIT"
    statement = stated(balance("OPBD", opens), balance("CLBD", f"{abs(closes):f}", direction))
    assert len(read_statement(statement)[1]) == 4


@pytest.mark.parametrize(
    ("balances", "told"),
    [
        ((balance("OPBD", "10"), balance("CLBD", "10.01")), "its entries lead to"),
        ((balance("OPBD", "10"),), "one balance without the other"),
        ((balance("CLBD", "10"),), "one balance without the other"),
        ((balance("OPBD", "1"), balance("OPBD", "2"), balance("CLBD", "3")), "several balances"),
        ((balance("OPBD", "1", currency="EUR"), balance("CLBD", "3")), "one balance without"),
        (
            (balance("OPBD", "1", currency="EUR"), balance("CLBD", "3", currency="EUR")),
            "another currency than its balances",
        ),
        ((balance("OPBD", "1", "UP"), balance("CLBD", "3")), "no clear direction"),
        ((balance("OPBD", "NaN"), balance("CLBD", "3")), "no amount that can be read"),
    ],
)
def test_balances_that_the_entries_do_not_lead_to_are_refused(
    balances: tuple[str, ...], told: str
) -> None:
    """An entry that was taken out of a file, or changed, would be settled otherwise."""
    with pytest.raises(InputError) as caught:
        read_statement(stated(*balances))
    assert told in caught.value.what


def test_what_is_not_booked_moves_no_balance() -> None:
    pending = stated(balance("OPBD", "5"), balance("CLBD", "5")).replace(b"BOOK", b"PDNG")
    assert read_statement(pending) == (CAMT053, [])


@pytest.mark.parametrize(
    ("direction", "told", "kind"),
    [("CRDT", "", "return"), ("DBIT", "", "dispute"), ("DBIT", "refund", "refund")],
)
@pytest.mark.parametrize("flag", ["true", "1"])
def test_a_reversal_is_no_deposit_and_no_withdrawal(
    direction: str, told: str, kind: str, flag: str
) -> None:
    reversed_ = ("<Sts>", f"<RvslInd>{flag}</RvslInd><Sts>")
    statement = changed((KIND, f"<AddtlTxInf>{told}</AddtlTxInf>"), ("CRDT", direction), reversed_)
    assert [line.kind for line in read_statement(statement)[1]] == [kind]
    deposit = changed(reversed_)
    with pytest.raises(InputError, match="no clear direction"):
        read_statement(deposit)


def batch(*amounts: str, whole: str = "100.00", extra: str = "") -> bytes:
    """Return a statement with one entry of several transactions."""
    parts = "".join(
        f"<TxDtls><Refs><EndToEndId>r-{number}</EndToEndId></Refs>{amount}</TxDtls>"
        for number, amount in enumerate(amounts)
    )
    return (
        "<Document><BkToCstmrStmt><Stmt><Ntry>"
        f'<Amt Ccy="USD">{whole}</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts>BOOK</Sts>{extra}'
        f"<BookgDt><Dt>2026-01-13</Dt></BookgDt><NtryDtls>{parts}</NtryDtls>"
        "</Ntry></Stmt></BkToCstmrStmt></Document>"
    ).encode()


OLD = (
    '<AmtDtls><InstdAmt><Amt Ccy="EUR">9</Amt></InstdAmt>'
    '<TxAmt><Amt Ccy="USD">{}</Amt></TxAmt></AmtDtls>'
)
NEW = '<Amt Ccy="USD">{}</Amt>'
BACK = '<Amt Ccy="USD">{}</Amt><CdtDbtInd>DBIT</CdtDbtInd>'


def test_each_transaction_of_a_batch_is_a_line() -> None:
    """What was instructed in another currency is not what was booked."""
    lines = read_statement(batch(OLD.format("60.00"), NEW.format("45.00"), BACK.format("5.00")))[1]
    assert [(line.kind, line.reference, line.amount) for line in lines] == [
        ("deposit", "r-0", Decimal(60)),
        ("deposit", "r-1", Decimal(45)),
        ("withdrawal", "r-2", Decimal(5)),
    ]


@pytest.mark.parametrize(
    ("amounts", "extra", "told"),
    [
        ((NEW.format("60"), NEW.format("39.99")), "", "come to 99.99 USD"),
        ((NEW.format("60"), '<Amt Ccy="EUR">40</Amt>'), "", "transaction in another currency"),
        ((NEW.format("60"), NEW.format("1e1")), "", "no amount that can be read"),
        ((NEW.format("60"), NEW.format("40")), CHARGE, "entry with charges"),
        ((NEW.format("60"),), '<Amt Ccy="USD">1</Amt>', "Amt more than once"),
        ((NEW.format("60"),), "<CdtDbtInd>DBIT</CdtDbtInd>", "CdtDbtInd more than once"),
        ((NEW.format("60"),), "<RvslInd>yes</RvslInd>", 'RvslInd "yes"'),
    ],
)
def test_a_batch_that_does_not_add_up_or_contradicts_itself_is_refused(
    amounts: tuple[str, ...], extra: str, told: str
) -> None:
    with pytest.raises(InputError) as caught:
        read_statement(batch(*amounts, extra=extra))
    assert told in caught.value.what


@pytest.mark.parametrize(("direction", "sign"), [("CRDT", 1), ("DBIT", -1)])
def test_a_charge_that_is_in_the_booked_amount_is_taken_out_of_it(
    direction: str, sign: int
) -> None:
    """What the bank has moved is the amount less the fee, so the settled net must come to it."""
    included = ("</Rcrd>", "<ChrgInclInd>true</ChrgInclInd></Rcrd>")
    [line] = read_statement(changed(included, (KIND, ""), ("CRDT", direction)))[1]
    assert line.fee == Decimal("1.65")
    assert sign * line.amount - line.fee == sign * BOOKINGS[0].amount


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (changed(("BkToCstmrStmt", "BkToCstmrDbtCdtNtfctn")), "it is no camt.053"),
        (b"<a>" * 100_000, "too deep"),
        (b"<Document><BkToCstmrStmt><Stmt>" + b"<Ntry>" * 9, "it is no XML"),
    ],
    ids=["notification", "deep", "cut off"],
)
def test_a_file_that_is_no_statement_is_refused(content: bytes, told: str) -> None:
    """A notification (camt.054) tells of bookings that the statement tells of again."""
    with pytest.raises(InputError) as caught:
        read_statement(content)
    assert told in caught.value.what
