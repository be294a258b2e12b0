"""Replays balances twice: along each holder's journal, and from the movements between holders.

Beside that, every result and commission of a trade, and every difference that a corrected price
makes, must be in the journal of its account, and nothing else may be called so; nor may anything be
given back but with a trade that takes another back.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from decimal import ROUND_HALF_EVEN, Context, Decimal

from tradewright.soak.trading.replay.record import Balance, Difference, Record, Standing

_NOTHING = Decimal(0)
_PRECISE = Context(prec=60)
_EFFECTS: Mapping[str, tuple[int, int]] = {
    "credit": (1, 0),
    "debit": (-1, 0),
    "reserve": (-1, 1),
    "release": (1, -1),
    "capture": (0, -1),
}
"""What each effect does to available and to reserved money."""


def replay_balances(record: Record) -> Iterator[Difference]:
    """Yield where a balance is not what the journal, the transfers and the trades make it."""
    yield from _along_the_journal(record)
    yield from _from_transfers(record)
    yield from _from_trades(record)
    yield from _from_adjustments(record)
    yield from _from_reversals(record)


def _along_the_journal(record: Record) -> Iterator[Difference]:
    available: dict[str, Decimal] = defaultdict(Decimal)
    reserved: dict[str, Decimal] = defaultdict(Decimal)
    versions: dict[str, int] = defaultdict(int)
    for entry in record.entries:
        holder = entry.holder_id
        to_available, to_reserved = _EFFECTS[entry.effect]
        versions[holder] += 1
        available[holder] += to_available * entry.amount
        reserved[holder] += to_reserved * entry.amount
        yield from Standing(
            "entry",
            f"{entry.operation} of {entry.transaction_id}",
            {
                "version": (entry.version, versions[holder]),
                "available_after": (entry.available_after, available[holder]),
                "reserved_after": (entry.reserved_after, reserved[holder]),
            },
        ).differences()
    for balance in record.balances:
        held = available[balance.holder_id], reserved[balance.holder_id]
        yield from _compare(balance, held)


def _compare(balance: Balance, held: tuple[Decimal, Decimal]) -> Iterator[Difference]:
    fields = {
        "available": (balance.available, held[0]),
        "reserved": (balance.reserved, held[1]),
    }
    yield from Standing("balance", balance.holder_id, fields).differences()


def _from_transfers(record: Record) -> Iterator[Difference]:
    moved: dict[str, Decimal] = defaultdict(Decimal)
    for transfer in record.transfers:
        moved[transfer.credit_holder_id] += transfer.amount
        moved[transfer.debit_holder_id] -= transfer.amount
    for balance in record.balances:
        total = balance.available + balance.reserved
        if total != moved[balance.holder_id]:
            yield Difference(
                "balance", balance.holder_id, "transfers", total, moved[balance.holder_id]
            )


def _from_trades(record: Record) -> Iterator[Difference]:
    booked: dict[tuple[str, str, str], Decimal] = defaultdict(Decimal)
    for entry in record.entries:
        if entry.operation in {"realised_pnl", "commission"}:
            signed = entry.amount if entry.effect == "credit" else -entry.amount
            booked[entry.transaction_id, entry.operation, entry.holder_id] += signed
    for trade in record.trades:
        for operation, amount in (
            ("realised_pnl", trade.realised_pnl),
            ("commission", -trade.commission),
        ):
            found = booked.pop((trade.id, operation, trade.account_id), _NOTHING)
            if found != amount:
                yield Difference("trade", trade.id, f"{operation} in the ledger", found, amount)
    for transaction_id, operation, _ in booked:
        yield Difference("entry", f"{operation} of {transaction_id}", "trade", None, "a trade")


def _from_adjustments(record: Record) -> Iterator[Difference]:
    booked = _booked(record, {"price_adjustment"})
    trades = {trade.id: trade for trade in record.trades}
    units = _units(record)
    prices: dict[str, Decimal] = {}
    for one in record.adjustments:
        trade = trades[one.trade_id]
        before = prices.get(trade.id, trade.price)
        prices[trade.id] = one.price
        gained = _PRECISE.multiply(_PRECISE.subtract(before, one.price), trade.quantity)
        exact = _PRECISE.multiply(gained, trade.conversion_rate)
        amount = exact.quantize(units[trade.account_id], rounding=ROUND_HALF_EVEN, context=_PRECISE)
        found = booked.pop((one.id, "price_adjustment"), _NOTHING)
        fields = {
            "price_before": (one.price_before, before),
            "amount": (one.amount, amount),
            "price_adjustment in the ledger": (found, one.amount),
        }
        yield from Standing("adjustment", one.id, fields).differences()
    for transaction_id, operation in booked:
        named = f"{operation} of {transaction_id}"
        yield Difference("entry", named, "adjustment", None, "an adjustment")


def _from_reversals(record: Record) -> Iterator[Difference]:
    booked = _booked(record, {"commission_return", "adjustment_return"})
    trades = {trade.id: trade for trade in record.trades}
    units = _units(record)
    adjusted: dict[str, Decimal] = defaultdict(Decimal)
    for adjustment in record.adjustments:
        adjusted[adjustment.trade_id] += adjustment.amount
    for one in record.reversals:
        trade, back = trades[one.trade_id], trades[one.reversing_id]
        unit = units[trade.account_id]
        fee = _share(trade.commission, back.quantity, trade.quantity, unit)
        given = -_share(adjusted[trade.id], back.quantity, trade.quantity, unit)
        fields = {"commission": (one.commission, fee), "adjustment": (one.adjustment, given)}
        for operation, amount in (
            ("commission_return", one.commission),
            ("adjustment_return", one.adjustment),
        ):
            found = booked.pop((one.reversing_id, operation), _NOTHING)
            fields[f"{operation} in the ledger"] = (found, amount)
        yield from Standing("reversal", one.reversing_id, fields).differences()
    for transaction_id, operation in booked:
        yield Difference(
            "entry", f"{operation} of {transaction_id}", "reversal", None, "a reversal"
        )


def _booked(record: Record, operations: Collection[str]) -> dict[tuple[str, str], Decimal]:
    """Return what the journal has of some operations, by transaction; debits are negative."""
    booked: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for entry in record.entries:
        if entry.operation in operations:
            signed = entry.amount if entry.effect == "credit" else -entry.amount
            booked[entry.transaction_id, entry.operation] += signed
    return booked


def _units(record: Record) -> dict[str, Decimal]:
    """Return the smallest amount of each account."""
    return {one.id: Decimal(1).scaleb(-one.minor_units) for one in record.accounts}


def _share(amount: Decimal, part: Decimal, whole: Decimal, unit: Decimal) -> Decimal:
    """Return what of an amount belongs to a part of a quantity."""
    exact = _PRECISE.divide(_PRECISE.multiply(amount, abs(part)), abs(whole))
    return exact.quantize(unit, rounding=ROUND_HALF_EVEN, context=_PRECISE)
