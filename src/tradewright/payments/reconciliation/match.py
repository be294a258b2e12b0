"""Compare three legs: our payments, our ledger, the provider's statement. Pure and total.

Every movement that any leg knows falls into exactly one bucket, so that the counts of the buckets
add up to what was compared.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import timedelta
from decimal import Decimal

from tradewright.core.money import plain
from tradewright.payments.reconciliation.model import (
    Bucket,
    Match,
    MatchKey,
    Recorded,
    StatementLine,
)

TIMING_AGE_MAX = timedelta(days=2)
"""So long a movement of ours may be missing from the statements before it is a difference."""


def match(recorded: Iterable[Recorded], lines: Iterable[StatementLine]) -> list[Match]:
    """Return one match for each movement, by kind and reference."""
    ours = {each.key: each for each in recorded}
    theirs: dict[MatchKey, list[StatementLine]] = defaultdict(list)
    for line in lines:
        theirs[line.key].append(line)
    keys = sorted(ours.keys() | theirs.keys())
    found = (_compare(key, ours.get(key), theirs.get(key, [])) for key in keys)
    return [each for each in found if each is not None]


def _compare(key: MatchKey, mine: Recorded | None, lines: list[StatementLine]) -> Match | None:
    if mine is None:
        return Match(key, Bucket.EXTERNAL_ONLY, _theirs(lines))
    if not lines:
        return _without_line(key, mine)
    bucket = _judge(mine, lines)
    if bucket is Bucket.MATCHED:
        return Match(key, bucket, {})
    details = _ours(mine) | _theirs(lines)
    return Match(key, bucket, details)


def _judge(mine: Recorded, lines: list[StatementLine]) -> Bucket:
    """Judge what both know, the gravest difference first."""
    if len(lines) > 1:
        return Bucket.DUPLICATE
    if (lines[0].currency, lines[0].amount) != (mine.currency, mine.amount):
        return Bucket.AMOUNT_MISMATCH
    if not mine.is_done:
        return Bucket.STATUS_MISMATCH
    return Bucket.MATCHED if mine.ledger_amount == _expected(mine) else Bucket.LEDGER_MISMATCH


def _without_line(key: MatchKey, mine: Recorded) -> Match | None:
    """Judge what only we know; what has not moved money yet is no difference."""
    if mine.ledger_amount != _expected(mine):
        return Match(key, Bucket.LEDGER_MISMATCH, _ours(mine))
    if not mine.is_done:
        return None
    bucket = Bucket.TIMING if mine.age <= TIMING_AGE_MAX else Bucket.INTERNAL_ONLY
    return Match(key, bucket, _ours(mine))


def _expected(mine: Recorded) -> Decimal:
    """Return what the ledger must have moved: nothing for coins that went before a decision."""
    return mine.amount if mine.is_booked else Decimal(0)


def _ours(mine: Recorded) -> dict[str, str]:
    return {
        "our_amount": f"{plain(mine.amount)} {mine.currency}",
        "our_status": mine.status,
        "ledger_amount": f"{plain(mine.ledger_amount)} {mine.currency}",
    }


def _theirs(lines: Sequence[StatementLine]) -> dict[str, str]:
    """Tell all lines of one name: banks write the same one where they know none."""
    return {
        "their_amount": ", ".join(f"{plain(line.amount)} {line.currency}" for line in lines[:9]),
        "booked_on": ", ".join(sorted({line.booked_on.isoformat() for line in lines})[:9]),
        "lines": str(len(lines)),
    }
