"""Client money: what clients are owed beside what stands for them at banks and payment providers.

Delegated Directive (EU) 2017/593, article 2: records that tell clients' money apart at any time,
and regular reconciliation with who holds it. All of it is by the house's own books; what providers
say is in their statements, and the head tells how far these were reconciled.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal

from tradewright.compliance import store
from tradewright.compliance.model import Findings, Option, Report, Row, Scope
from tradewright.core.errors import ErrorCode, InputError
from tradewright.postgres.connect import Session
from tradewright.postgres.queries import load_queries

_NOTHING = Decimal(0)
_NOT_RECORDED = {
    "results of open positions": "they depend on prices, and not every price is kept",
    "balances by the banks' word": "statements of providers list bookings, not balances",
}


def _read(session: Session, scope: Scope) -> Findings:
    _require_passed(session, scope)
    asked = {"end": scope.end}
    queries = load_queries("tradewright.compliance.reports")
    parts = [_sound(row) for row in session.execute(queries["client_money"], asked)]
    currencies = dict.fromkeys(row[0] for row in parts)
    rows = [
        row
        for currency in currencies
        for row in _with_result(currency, [part for part in parts if part[0] == currency])
    ]
    facts = {
        "reconciled": _reconciled(session.execute(queries["reconciled"], asked)),
        "does_not_sum_to_zero": _unbalanced(parts),
        "excluded": "credit that the house has lent, which is no money",
        "not_recorded": _NOT_RECORDED,
        "rows": len(rows),
    }
    return Findings(facts, iter(rows))


def _sound(row: Row) -> Row:
    currency, part, item, amount, count = row
    return (currency, part, item, amount or _NOTHING, count)


def _require_passed(session: Session, scope: Scope) -> None:
    if scope.end is not None and scope.end > store.read_instant(session):
        raise InputError(
            ErrorCode.INPUT_INSTANT_FUTURE,
            f"{scope.end.isoformat()} has not come yet",
            why="What clients are owed at an instant is known when it has passed.",
            hint="Give an instant that has passed, or none for now.",
            facts={"to": scope.end},
        )


def _sum(parts: Iterable[Row], *names: str) -> Decimal:
    return sum((row[3] for row in parts if row[1] in names), _NOTHING)


def _with_result(currency: str, parts: list[Row]) -> list[Row]:
    """Return a currency's parts, and what is held for clients beyond what they are owed."""
    surplus = _sum(parts, "held") - _sum(parts, "owed")
    return [*parts, (currency, "result", "surplus", surplus, None)]


def _unbalanced(parts: list[Row]) -> Mapping[str, Decimal]:
    """Return the currencies whose sides differ: a movement was being written at the instant."""
    found = {}
    for currency in dict.fromkeys(row[0] for row in parts):
        own = [row for row in parts if row[0] == currency]
        differs = _sum(own, "held", "own", "debts") - _sum(own, "owed")
        if differs:
            found[currency] = differs
    return found


def _reconciled(rows: Iterable[Row]) -> Mapping[str, Mapping[str, object]]:
    names = ("last_statement_at", "last_settled_on", "open_breaks", "oldest_break_at")
    return {row[0]: dict(zip(names, row[1:], strict=True)) for row in rows}


REPORT = Report(
    name="client-money",
    purpose="what clients are owed, beside what banks and payment providers hold for them",
    law="Delegated Directive (EU) 2017/593, article 2",
    options=(Option.END,),
    columns=("currency", "part", "item", "amount", "holders"),
    shown=("currency", "part", "item", "amount", "holders"),
    read=_read,
)
