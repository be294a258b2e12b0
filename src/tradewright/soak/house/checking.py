"""Holds what a house has kept against what its clients were told and its provider has dealt.

Orders, positions and balances are replayed, and promises held, as in a soak of trading; payments,
repeats and contradictions are held here.
"""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from tradewright.core.errors import ErrorCode
from tradewright.liquidity.reconciliation.model import TradeLine
from tradewright.postgres.connect import Session
from tradewright.postgres.queries import load_queries
from tradewright.soak.house.asking import Asked
from tradewright.soak.house.commands import Kind
from tradewright.soak.house.stage import PROVIDER, Stage
from tradewright.soak.trading.promises import Findings, Keeper, hold_executions
from tradewright.soak.trading.service import REPLAYS, read_record
from tradewright.soak.trading.venue import Dealt

_CONTRADICTED = frozenset(
    {
        ErrorCode.ORDER_DUPLICATE_DIFFERS,
        ErrorCode.MONEY_IDEMPOTENCY_CONFLICT,
    }
)


def check(
    session: Session, stage: Stage, asked: Sequence[Asked], trades: Iterable[TradeLine]
) -> Findings:
    """Replay the record, and hold it against answers and deals; everything must be zero."""
    record, findings = read_record(session), Findings()
    for replay in REPLAYS:
        findings.differ(replay(record))
    keeper = Keeper(record, findings, stage.openings)
    for each in asked:
        keeper.hold(each.outcome)
    keeper.finish()
    dealt = [Dealt(PROVIDER, trade.execution_id, trade.quantity) for trade in trades]
    hold_executions(record, dealt, findings)
    hold_payments(_payments(session), asked, findings)
    findings.in_flight = in_flight(session)
    if findings.in_flight:
        findings.note(f"{findings.in_flight} orders or hedges wait for the provider")
    return findings


def in_flight(session: Session) -> int:
    """Return how many orders and hedges wait for the provider."""
    row = session.execute(load_queries("tradewright.soak.house")["in_flight"]).fetchone()
    return 0 if row is None else int(row[0])


def wrong_answers(asked: Sequence[Asked]) -> int:
    """Count repeats that were not answered as such, and contradictions that were not refused."""
    return sum(map(_is_wrong, asked))


def _is_wrong(each: Asked) -> bool:
    target, outcome = each.target, each.outcome
    if target is None or outcome.word not in {"done", "refused"}:
        return False
    if each.command.kind is Kind.CONTRADICT:
        return outcome.code not in _CONTRADICTED
    return outcome.word != "done" or each.status != 200 or each.order_id != target.order_id


def hold_payments(
    recorded: Mapping[str, Decimal], asked: Sequence[Asked], findings: Findings
) -> None:
    """Hold what was answered of payments against the amounts that are kept, by their ids."""
    kept = dict(recorded)
    for each in asked:
        if each.command.kind is not Kind.WITHDRAW or each.request is None:
            continue
        amount = kept.pop(each.command.key, None)
        if each.outcome.word == "done" and amount is None:
            findings.lost += 1
            findings.note(f"withdrawal {each.command.key} was acknowledged and is not there")
        elif amount is not None and amount != _amount(each.request.body):
            findings.misreported += 1
            findings.note(f"withdrawal {each.command.key} is of {amount}, not as asked for")
    for key in kept:
        findings.foreign += 1
        findings.note(f"payment {key} is in the database and nobody has asked for it")


def _payments(session: Session) -> dict[str, Decimal]:
    rows = session.execute(load_queries("tradewright.soak.house")["recorded_payments"]).fetchall()
    return {row[0]: row[1] for row in rows}


def _amount(body: Mapping[str, object]) -> Decimal:
    return Decimal(str(body["amount"]))
