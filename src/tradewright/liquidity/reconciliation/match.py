"""Compare two legs, our executions and the provider's list, by ExecID. Pure and total.

Every execution that either leg knows falls into exactly one bucket, so that the counts of the
buckets add up to what was compared.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import date

from tradewright.liquidity.reconciliation.model import Bucket, Execution, Match, TradeLine


def match(
    executions: Iterable[Execution], lines: Iterable[TradeLine], listed_days: Collection[date]
) -> list[Match]:
    """Return one match for each execution; `listed_days` are those whose lists have come.

    What we have of a day whose list has not come yet is no difference.
    """
    ours = {each.execution_id: each for each in executions}
    theirs: dict[str, list[TradeLine]] = defaultdict(list)
    for line in lines:
        theirs[line.execution_id].append(line)
    return [
        _compare(key, ours.get(key), theirs.get(key, []), listed_days)
        for key in sorted(ours.keys() | theirs.keys())
    ]


def _compare(
    key: str, mine: Execution | None, lines: list[TradeLine], listed_days: Collection[date]
) -> Match:
    if mine is None:
        return Match(key, Bucket.THEIRS_ONLY, _theirs(lines))
    if not lines:
        is_listed = mine.executed_on in listed_days
        return Match(key, Bucket.OURS_ONLY if is_listed else Bucket.TIMING, _ours(mine))
    bucket = _judge(mine, lines)
    details = {} if bucket is Bucket.MATCHED else _ours(mine) | _theirs(lines)
    return Match(key, bucket, details)


def _judge(mine: Execution, lines: list[TradeLine]) -> Bucket:
    """Judge what both know, the gravest difference first."""
    line = lines[0]
    if len(lines) > 1:
        return Bucket.DUPLICATE
    if (line.symbol, line.side) != (mine.symbol, mine.side):
        return Bucket.TERMS_MISMATCH
    if line.quantity != mine.quantity:
        return Bucket.QUANTITY_MISMATCH
    if line.price != mine.price:
        return Bucket.PRICE_MISMATCH
    return Bucket.SET_ASIDE if mine.is_undecided else Bucket.MATCHED


def _ours(mine: Execution) -> dict[str, str]:
    return {"ours": f"{mine.side} {mine.quantity.normalize():f} {mine.symbol} at {mine.price:f}"}


def _theirs(lines: list[TradeLine]) -> dict[str, str]:
    line = lines[0]
    told = f"{line.side} {line.quantity.normalize():f} {line.symbol} at {line.price:f}"
    return {"theirs": told, "request": line.request_id, "lines": str(len(lines))}
