"""Reconstruction: everything that happened to an order, to an account or in an interval, in order.

Delegated Regulation (EU) 2017/565, article 72: each key stage can be reconstituted, and corrections
with what was before them. What is sealed says by which seal, and whether it is as it was sealed; of
an account, balance and positions at both ends are rebuilt from what happened and compared with the
record.
"""

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from datetime import datetime

from tradewright.compliance import store
from tradewright.compliance.model import Findings, Option, Report, Row, Scope
from tradewright.compliance.rebuilding import rebuild
from tradewright.core.errors import ErrorCode, InputError
from tradewright.postgres.connect import Session
from tradewright.postgres.queries import load_queries

_NOT_RECORDED = {
    "checks that were passed": "a check that denies keeps its figures in the event, others nothing",
    "margin before and after each fill": "it depends on all prices of the moment; margin calls, "
    "stop-outs and denials keep what they found",
}


def _read(session: Session, scope: Scope) -> Findings:
    _require_scope(scope)
    asked = {
        "begin": scope.begin,
        "end": scope.end,
        "account_id": scope.account_id,
        "order_id": scope.order_id,
    }
    queries = load_queries("tradewright.compliance.reports")
    rows, audit_seals, ledger_seals, changed = store.count(
        session, queries["reconstruction_counts"], asked
    )
    facts = {
        "rows": rows,
        "audit_seals_used": _seals(session, "bad_audit_seals", audit_seals),
        "ledger_seals_used": _seals(session, "bad_ledger_seals", ledger_seals),
        "entries_not_as_sealed": changed,
        **_states(session, scope),
        "excluded": _archived(session, asked) or "nothing",
        "not_recorded": _NOT_RECORDED,
    }
    return Findings(facts, _told(store.stream(session, queries["reconstruction"], asked)))


def _require_scope(scope: Scope) -> None:
    if scope.account_id or scope.order_id or (scope.begin and scope.end):
        return
    raise InputError(
        ErrorCode.REPORT_SCOPE_MISSING,
        "a reconstruction is of an account, an order, or an interval with both ends",
        why="Everything that ever happened is what a backup is for.",
        hint="Give --account, --order, or --from and --to.",
    )


def _seals(session: Session, query: str, seals: list[int] | None) -> Mapping[str, str]:
    """Return the seals that cover what is told, each with whether it holds."""
    used = seals or []
    text = load_queries("tradewright.compliance.reports")[query]
    bad = {row[0] for row in session.execute(text, {"seals": used})}
    return {str(seq): "does not hold" if seq in bad else "holds" for seq in sorted(used)}


def _archived(session: Session, asked: Mapping[str, object]) -> Mapping[str, str]:
    """Return which archived months hold changes that are not told here, and how many."""
    text = load_queries("tradewright.compliance.reports")["archived_changes"]
    return {
        f"changes in the archived month {month}": f"{count}: {_way_back(month, state)}"
        for month, count, state in session.execute(text, asked)
    }


def _way_back(month: str, state: str) -> str:
    if state == "purged":
        return "purged when their time was over, and nowhere any more"
    return f"tradewright archive restore {month}"


def _states(session: Session, scope: Scope) -> Mapping[str, object]:
    """Return what an account had at both ends, rebuilt from what had happened by then."""
    if scope.account_id is None or scope.order_id is not None:
        return {}
    states: dict[str, object] = {}
    if scope.begin is not None:
        states["state_before"] = _state(session, scope.account_id, scope.begin)
    end = scope.end or store.read_clock(session)
    states["state_after"] = _state(session, scope.account_id, end)
    return states


def _state(session: Session, account_id: str, at: datetime) -> Mapping[str, object]:
    return {"at": at, **asdict(rebuild(session, account_id, at))}


def _told(rows: Iterator[Row]) -> Iterator[Row]:
    for *told, audit_seal, ledger_seal, holds in rows:
        yield (*told, _proof(str(told[2]), audit_seal, ledger_seal, holds))


def _proof(
    source: str, audit_seal: int | None, ledger_seal: int | None, holds: bool | None
) -> str | None:
    """Return which seal covers a row, and of an entry whether it is as it was sealed."""
    if audit_seal is not None:
        return f"audit seal {audit_seal}"
    if ledger_seal is not None:
        return f"ledger seal {ledger_seal}: {'as sealed' if holds else 'NOT as sealed'}"
    return "waits for a seal" if source == "balance_ledger" else None


REPORT = Report(
    name="reconstruction",
    purpose="everything that happened to an order, to an account or in an interval",
    law="Delegated Regulation (EU) 2017/565, article 72; Directive 2014/65/EU, article 16(6)",
    options=(Option.BEGIN, Option.END, Option.ACCOUNT, Option.ORDER),
    columns=(
        *("at", "market_at", "source", "action", "actor", "account_id", "order_id", "symbol"),
        *("record_id", "before", "after", "details", "proof"),
    ),
    shown=("at", "source", "action", "actor", "symbol", "before", "after", "proof"),
    read=_read,
)
